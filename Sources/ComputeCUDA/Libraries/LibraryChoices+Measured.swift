extension LibraryChoices {
    /// What `bench-stages --candidates 30` found with `--stage decode` and `encode`: architecture, library, version and kind of
    /// problem, then the algorithm. An entry is worth having where it saves a few percent of its problem; others are
    /// left to the library.
    package static let measured: [String: String] = {
        var choices: [String: String] = [:]
        for version in [91400, 91900] {
            for (kind, engine) in convolutionsOfHopper {
                choices["90 cuDNN \(version) convolution \(kind)"] = engine
            }
        }
        return choices
    }()

    /// Convolutions of the video autoencoder in bfloat16. All were timed with 9.14, those of the
    /// decoder with 9.19, too. The library's own choices take up to twice as long.
    private static let convolutionsOfHopper = [
        "96 to 96 3x3x3 bfloat16 bias": "41 k2=0 k13=0 k18=0 k25=0 k27=8 k28=1",
        "96 to 96 3x3x3 bfloat16 bias residual": "41 k2=0 k13=0 k18=0 k25=0 k27=8 k28=1",
        "192 to 192 3x3x3 bfloat16 bias": "41 k2=3 k13=1 k18=0 k25=1 k27=1 k28=2",
        "192 to 192 3x3x3 bfloat16 bias residual": "41 k2=3 k13=1 k18=0 k25=1 k27=1 k28=2",
        "384 to 384 3x3x3 bfloat16 bias": "41 k2=3 k13=1 k18=0 k25=1 k27=2 k28=1",
        "384 to 384 3x3x3 bfloat16 bias residual": "41 k2=3 k13=1 k18=0 k25=1 k27=2 k28=1",
        "192 to 384 3x3x3 bfloat16 bias": "41 k2=0 k13=1 k18=0 k25=1 k27=2 k28=1",
        "96 to 192 3x3x3 bfloat16 bias": "41 k2=4 k13=0 k18=0 k25=0 k27=1 k28=3",
        "8 to 96 3x3x3 bfloat16 bias": "10 k2=4 k13=0 k14=2 k18=0 k23=4",
    ]
}
