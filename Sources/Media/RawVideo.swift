// Pictures, sizes and errors are part of what this room gives.
@_exported import RawVideo
