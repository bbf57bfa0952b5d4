"""`concgen`, and `python -m scaffold`."""

import signal

# Until the command line is there to say it in a line, Ctrl-C just ends the process.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from scaffold.cli import main

if __name__ == "__main__":
    main()
