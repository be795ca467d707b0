collect_ignore = ["make.py", "make_onnx.py"]  # they import frameworks that the tests do without
