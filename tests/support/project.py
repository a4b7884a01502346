"""Where the project is, and what its programs print."""

from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent

SENT = " [x] Sent 'Hello World!'\n"
WAITING = " [*] Waiting for messages. To exit press CTRL+C\n"
RECEIVED = " [x] Received 'Hello World!'\n"
NO_LONGER_WAITING = " [*] No longer waiting for messages\n"

LOST = " [!] the connection was lost, perhaps with messages on the way"
AGAIN = "; connecting again in 5 seconds\n"
