"""Paper: one frozen context in, three renderings and a mail out.

Nothing in here reads a model, a clock or the network. What was printed once can be printed again for ever
from the stored context, and a preview is the same code as the real thing.
"""
