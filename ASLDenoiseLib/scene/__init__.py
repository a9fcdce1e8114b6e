"""The scene of 3D Slicer: series, maps, overlays, tables and pictures as MRML. Only this room imports `slicer`."""
