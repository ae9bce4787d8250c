"""The agent: what the world published flows in, a short digest comes out, thumbs flow back."""

import os

__version__ = "0.1.0"

# The matrices here are small: a second BLAS thread waits more than it works, and a refit takes a fifth longer. numpy reads
# this when it is first imported; whoever has set it decides otherwise.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
