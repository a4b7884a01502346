"""Where the project is, and what its programs print."""

import re
from pathlib import Path

import pika

PROJECT = Path(__file__).parent.parent.parent

PIKA_IS_1_4 = pika.__version__.startswith("1.4.")  # what differs in pika 1.5 is tested for both

SENT = " [x] Sent 'Hello World!'\n"
WAITING = " [*] Waiting for messages. To exit press CTRL+C\n"
RECEIVED = " [x] Received 'Hello World!'\n"
NO_LONGER_WAITING = " [*] No longer waiting for messages\n"

LOST = " [!] the connection was lost, perhaps with messages on the way"
AGAIN = "; connecting again in 5 seconds\n"

# The whole line about a connection that is cut, as a pattern: what is in brackets varies.
LOST_LINE = re.escape(LOST) + r" \(.+\)" + re.escape(AGAIN)
