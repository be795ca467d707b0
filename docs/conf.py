"""The site: the settings of Sphinx and its extensions. `make docs` builds it into docs/_build/html."""

import sys
from pathlib import Path

import numlp

# The site's own extensions, one noun each.
sys.path.insert(0, str(Path(__file__).with_name("_extensions")))

project = "numlp"
author = "The numlp developers"
copyright = author  # noqa: A001  # the name that Sphinx reads
version = release = numlp.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "equations",
    "initials",
    "members",
    "names",
    "registries",
    "repository",
    "settings",
    "sources",
]
exclude_patterns = ["_build", "gallery/**"]
templates_path = ["_templates"]
nitpicky = True

# Guides. Their links into the repository are the business of the extension `repository`.
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

# The reference. Types stand in the docstrings, in words; annotations would say them twice.
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autosummary_ignore_module_all = False
numpydoc_show_class_members = False
default_role = "py:obj"
smartquotes = False  # quotes stand around names that are typed as they are, "relu"

# The gallery.
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated/gallery",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("numlp",),
    "filename_pattern": "/",
    "image_scrapers": ("figures",),
    "download_all_examples": False,
    "write_computation_times": False,
    "notebook_extensions": (),
    "parallel": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 0,
    "abort_on_example_error": True,
    "copyfile_regex": "",
    "within_subsection_order": "FileNameSortKey",
}
suppress_warnings = ["config.cache"]  # the gallery's settings hold a class, which can't be pickled

# The theme. Everything that a page needs lies beside it: none asks another host for anything.
html_theme = "pydata_sphinx_theme"
html_title = "numlp"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_sidebars: dict[str, list[str]] = {"index": [], "settings/*": []}
html_theme_options = {
    "logo": {"text": "numlp"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "back_to_top_button": False,
}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
