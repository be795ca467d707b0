collect_ignore = ["make.py"]  # it imports frameworks that the tests do without
