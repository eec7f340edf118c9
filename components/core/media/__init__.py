"""Reading, measuring and writing faces that talk: NumPy, PyAV, OpenCV and MediaPipe, never torch.

Every time is in seconds on the video's clock, whose zero is the first frame. Images are RGB uint8 (h, w, 3). A
point (x, y) in pixels has its origin at the centre of the top left pixel, as OpenCV has it.
"""

FPS = 25
"""Constant frame rate of every clip."""

RATE_HZ = 16_000
"""Sample rate of every sound, mono float32 in [-1, 1]."""

MEL_HZ = 100
"""Frames of log-mel a second."""

MEL_BINS = 80

MEL_PER_FRAME = MEL_HZ // FPS
"""Mel rows 4i .. 4i+3 belong to video frame i."""
