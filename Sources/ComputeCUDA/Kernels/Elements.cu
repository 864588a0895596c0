// Elements.
