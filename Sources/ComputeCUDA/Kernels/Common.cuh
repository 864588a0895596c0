// What all kernel files begin with.
