import Tensors

/// Random numbers of another implementation, in place of our own, for comparing the two.
public struct Replay: Sendable {
    /// The noise that each clip starts from: [clips, channels, latent frames, h, w], float32.
    public let noise: TensorView
    /// The sink distances: [clips, blocks, steps], int32.
    public let sinkDistance: TensorView
    /// How the file was made, as far as it says.
    public let provenance: Provenance?

    /// Clips that there are numbers for.
    public var clips: Int { noise.shape[0] }

    /// Opens a file; with `latent` [channels, h, w] and `steps`, only if it is for such a run.
    ///
    /// Throws `SystemError` or `TensorFileError`.
    public init(path: String, latent: [Int]? = nil, steps: Int? = nil) throws {
        precondition(latent.map { $0.count == 3 } ?? true)
        let file = try TensorFile(path: path)
        try ArtifactHeader.check(file, is: .replay)
        noise = try file.tensor(
            "noise",
            axes: [
                Axis("clips"), Axis("channels", latent?[0]), Axis("latent frames"),
                Axis("rows", latent?[1], "the run has"),
                Axis("columns", latent?[2], "the run has"),
            ], types: [.float32])
        sinkDistance = try file.tensor(
            "sink_distance",
            axes: [
                Axis("clips", noise.shape[0], "'noise' has"), Axis("blocks"),
                Axis("steps", steps, "the run has"),
            ], types: [.int32])
        provenance = Provenance(metadata: file.metadata)
    }

    /// Begins a file; the caller fills `noise` and `sink_distance` and commits.
    ///
    /// `noise` is [clips, channels, latent frames, h, w]; `sinkDistance` is [clips, blocks, steps].
    /// Throws `SystemError`.
    public static func create(
        path: String, noise: Shape, sinkDistance: Shape, provenance: Provenance
    ) throws -> TensorFileWriter {
        try TensorFileWriter(
            path: path,
            tensors: [
                TensorDescriptor(name: "noise", dataType: .float32, shape: noise),
                TensorDescriptor(name: "sink_distance", dataType: .int32, shape: sinkDistance),
            ],
            metadata: try ArtifactHeader.metadata(of: .replay, provenance: provenance))
    }
}
