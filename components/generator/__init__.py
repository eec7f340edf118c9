"""The generator: masked inpainting of the lower face, from references and speech (paper, Sec. 3.1)."""
