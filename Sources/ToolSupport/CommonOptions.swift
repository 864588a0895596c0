import ArgumentParser

/// What a tool says while it works.
public struct ReportOptions: ParsableArguments {
    @Flag(name: .long, help: "Say nothing but errors.")
    public var quiet = false

    @Flag(name: .long, help: "Say more: what was opened, chosen and skipped.")
    public var verbose = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Append measurements to a file, one JSON object a line.", valueName: "file"))
    public var metrics: String?

    public init() {}

    public func validate() throws {
        if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
    }
}

/// Where a stage's weights are and how strictly they are taken.
public struct WeightOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The folder that holds Wan2.2-S2V-14B, or that folder itself.", valueName: "dir"))
    public var weights: String

    @Flag(name: .long, help: "Refuse weights with tensors that the model does not know.")
    public var strict = false

    public init() {}
}

/// Where a stage's result goes.
public struct OutputOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("What to write.", valueName: "path"))
    public var output: String

    @Flag(name: .long, help: "Replace an output that was made with other inputs or options.")
    public var overwrite = false

    public init() {}

    public func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output is empty.") }
    }
}
