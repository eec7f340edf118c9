"""One ONNX graph of the editor, proven equal to torch, with a card that says what it is."""
