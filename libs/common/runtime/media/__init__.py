"""Files from strangers made fit to be kept: known by their bytes, decoded, cleaned of what identifies or runs.

`taking` takes one in, `formats` says what is taken. `pictures`, `recordings` and `documents` hold the decoders, and are
loaded only by the process that `cleaning` starts for each file.
"""
