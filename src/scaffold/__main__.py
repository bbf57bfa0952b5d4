"""`concgen`, and `python -m scaffold`."""

import signal

# While the command line is being imported, Ctrl-C ends the process without a traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from scaffold.cli import main

if __name__ == "__main__":
    main()
