"""What all services stand on."""

import os

# One thread for each matrix. What is multiplied here takes microseconds; shared among threads that wait for each other
# beside other services, it took a third of all the CPU. numpy reads this when it is loaded, and nothing of ours loads
# numpy before this package.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
