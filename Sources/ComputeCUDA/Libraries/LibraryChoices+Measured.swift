extension LibraryChoices {
    /// What `bench-stages --candidates 30` found with `--stage denoise` and so on, each entry as it prints it: architecture,
    /// library, version and kind of problem, then the algorithm. An entry is worth having where it saves a few percent of
    /// its problem in three runs; others are left to the library.
    package static let measured: [String: String] = [:]
}
