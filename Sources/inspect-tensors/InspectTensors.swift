import ArgumentParser
import Inspection
import Media
import ToolSupport

/// The tool that shows what lies between two stages.
@main struct InspectTensors: Tool {
    static let configuration = CommandConfiguration(
        commandName: "inspect-tensors",
        abstract: "List, check, compare and preview tensors; measure films.",
        discussion: """
            A path leads to a safetensors file, a PyTorch file (.pth, .pt, .bin), an index of shards \
            (.index.json), a tensor stream, or any other folder: then all such files and streams in it are \
            taken, one after the other. Files are mapped and read in pieces, so they may be larger than memory.

            Without further options, prints kind, version and origin, and name, type, shape and bytes of each \
            tensor; of a stream, how far it has come. What a file does not tell is shown as unknown.

            EXAMPLES:
              What a stream is, how far it has come, how it was made:
                inspect-tensors latents/
              What the numbers are like, a tensor a line:
                inspect-tensors --stats text.safetensors
              Only go on with what is whole:
                inspect-tensors --check latents/ && decode-vae ...
              Compare two runs, block by block:
                inspect-tensors --compare yesterday/latents latents/
              See it:
                inspect-tensors --preview sheet.png frames/
              How well a drawn mouth follows its voice:
                inspect-tensors --sync voice.wav frames/

            EXIT STATUS:
              0    Done. --check: all is well. --compare: all within the tolerance.
              1    Failed. --check: damaged, unfinished or not finite.
                   --compare: something differs or is missing on one side.
              2    --compare: something cannot be read or compared.
              64   Wrong usage.
              130  Interrupted; 143 terminated; 141 if nobody reads the output.
            """,
        version: Project.version)

    @Argument(help: ArgumentHelp("What to inspect.", valueName: "path"))
    var path: String

    @Flag(help: "List minimum, maximum, mean, deviation, zeros, NaN and infinities too.")
    var stats = false

    @Flag(
        help: """
            Read everything and say nothing if all is well: structure, checksums, digests, the end of \
            streams, and that all floating-point numbers are finite.
            """)
    var check = false

    @Option(
        help: ArgumentHelp(
            "Show how far each tensor is from that of another path: ||a - b|| / ||b|| and max |a - b|.",
            valueName: "other"))
    var compare: String?

    @Option(
        help: """
            The largest relative error of --compare that counts as the same (default: \
            \(usualTolerance)).
            """)
    var tolerance: Double?

    @Option(
        help: ArgumentHelp(
            """
            Write a picture of frames, or of latents in false colours: up to \(Preview.pictureLimit) \
            of them, evenly spaced.
            """, valueName: "out.png"))
    var preview: String?

    @Option(
        help: ArgumentHelp(
            """
            Measure how well the mouth of a face that the miniature model drew follows a voice, and by how many \
            frames it is late; its sharpness and colours, at the beginning and the end. Of frames or a video.
            """, valueName: "voice"))
    var sync: String?

    @Option(help: ArgumentHelp("Look at this tensor alone.", valueName: "name"))
    var tensor: String?

    @Flag(help: "Print JSON: an object a line, for a file, a stream, a compared tensor or a film.")
    var json = false

    /// The tolerance of `--compare` where none is given.
    private static let usualTolerance = 1e-3

    func validate() throws {
        let modes = [check, compare != nil, preview != nil, sync != nil, stats].count { $0 }
        guard modes <= 1 else {
            throw ValidationError(
                "--stats, --check, --compare, --preview and --sync exclude each other.")
        }
        if tolerance != nil, compare == nil {
            throw ValidationError("--tolerance goes with --compare.")
        }
        if let tolerance, !(tolerance >= 0) {
            throw ValidationError("--tolerance must not be negative.")
        }
        if let preview, !preview.lowercased().hasSuffix(".png") {
            throw ValidationError("--preview writes a PNG, and '\(preview)' is not called so.")
        }
        if json, check || preview != nil {
            throw ValidationError("--json goes with a listing, --compare or --sync.")
        }
        if check, tensor != nil { throw ValidationError("--check is of all tensors.") }
        if sync != nil, tensor != nil { throw ValidationError("--sync is of pictures.") }
    }

    func run() throws {
        let reporter = Reporter(silentUnlessWatched: Self.toolName)
        if check {
            try Check.run(on: Subject(path: path)) { reporter.progress("checking \($0)") }
        } else if let compare {
            try self.compare(with: compare, reporter)
        } else if let preview {
            try keepInputs([path], from: preview)
            try Preview(of: Subject(path: path), tensor: tensor).sheet.writePNG(to: preview)
        } else if let sync {
            let sync = try LipSync(of: Subject(path: path), with: sync) {
                reporter.progress("frame \($0)")
            }
            try StandardOutput.write((json ? try Report.line(sync) : sync.text) + "\n")
        } else {
            try list(reporter)
        }
    }

    private func list(_ reporter: Reporter) throws {
        var isFirst = true
        for leaf in try Subject(path: path).leaves() {
            let listing = try Listing(of: leaf.get(), withStatistics: stats, tensor: tensor)
            if tensor != nil, listing.rows.isEmpty { continue }
            if !json, !isFirst { try StandardOutput.write("\n") }
            isFirst = false
            try listing.write(
                asJSON: json, progress: { reporter.progress("reading \($0)") },
                to: { try StandardOutput.write($0 + "\n") })
        }
        if let tensor, isFirst { throw InspectionError(path, "there is no tensor '\(tensor)'") }
    }

    private func compare(with other: String, _ reporter: Reporter) throws {
        let comparison = Comparison(tolerance: tolerance ?? Self.usualTolerance, tensor: tensor)
        let summary: Comparison.Summary
        do {
            if !json { try StandardOutput.write(Comparison.Row.head + "\n") }
            summary = try comparison.run(Subject(path: path), with: Subject(path: other)) { row in
                reporter.progress("comparing \(row.label)")
                try StandardOutput.write((json ? try Report.line(row) : row.text) + "\n")
            }
            if !json { try StandardOutput.write(summary.text + "\n") }
        } catch let error as ExitCode {
            throw error
        } catch {
            throw ToolError(error, exitCode: 2)
        }
        if summary.different > 0 { throw ExitCode.failure }
    }
}
