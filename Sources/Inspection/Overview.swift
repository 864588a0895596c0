import Artifacts
import Checkpoints
import Tensors

/// What headers tell of a file or a stream: everything but the numbers in its tensors.
public struct Overview: Sendable {
    /// The path as it was given.
    public let path: String
    /// How the tensors are stored, in a few words.
    public let format: String
    /// The artifact's kind; nil if the file does not say.
    public let kind: String?
    /// The version of the artifact's format; nil if the file does not say.
    public let version: String?
    /// How it was made, as far as it says; nil if it says nothing.
    public let provenance: Provenance?
    /// Metadata beside kind, version and provenance.
    public let metadata: [String: String]
    /// How far a stream has come; nil of a file.
    public let stream: StreamState?
    /// What a file of low-rank changes holds; nil of any other.
    public let lora: LoRASummary?
    /// The tensors: all of a file; of a stream those of the lead and of a block, as declared.
    public let tensors: [Row]

    /// A tensor's row of the table.
    public struct Row: Sendable {
        /// The tensor, or where in the stream and which.
        public let label: String
        /// Name, type and shape.
        public let tensor: TensorDescriptor
    }

    /// Metadata that is shown as kind, version and provenance.
    private static let ownKeys = ["kind", "version", "tool", "tool_version", "options", "inputs"]

    /// Reads the headers of a file or a stream. Traps at a folder.
    ///
    /// Throws `SystemError`, `TensorFileError` or `ArtifactError`.
    public init(of subject: Subject) throws {
        switch subject.form {
        case .file: self.init(of: try openCheckpoint(at: subject.path))
        case .stream(let folder): self.init(of: try folder.state(), path: subject.path)
        case .folder: preconditionFailure("a folder is inspected leaf by leaf")
        }
    }

    /// Gathers what an open file tells.
    init(of file: any Checkpoint) {
        path = file.path
        format = Self.format(of: file)
        let header = (file as? TensorFile).map(ArtifactHeader.init)
        kind = header?.kind
        version = header?.version
        provenance = header?.provenance
        metadata = ((file as? TensorFile)?.metadata ?? [:])
            .filter { !Self.ownKeys.contains($0.key) }
        stream = nil
        lora = LoRASummary(of: file.tensors)
        tensors = file.tensors.map { Row(label: plain($0.name), tensor: $0) }
    }

    /// Gathers what a stream's folder tells.
    init(of state: StreamState, path: String) {
        self.path = path
        format = "tensor stream"
        kind = state.description.kind.rawValue
        version = state.version
        provenance = state.description.provenance
        metadata = [:]
        stream = state
        lora = nil
        tensors = Self.declared(state)
    }

    private static func format(of file: any Checkpoint) -> String {
        switch file {
        case is ShardedCheckpoint: "safetensors in shards"
        case is TorchArchive: "PyTorch archive"
        default: "safetensors"
        }
    }

    /// The rows of a stream: the lead, block 0 where it differs, and all other blocks as one.
    private static func declared(_ state: StreamState) -> [Row] {
        func rows(_ part: String, _ tensors: [TensorDescriptor]) -> [Row] {
            tensors.map { Row(label: "\(part):\($0.name)", tensor: $0) }
        }
        let (first, others) = (
            state.description.tensors(ofBlock: 0), state.description.tensors(ofBlock: 1)
        )
        return rows("lead", state.description.leadTensors)
            + (first == others ? [] : rows("block 0", first))
            + rows(first == others ? "each block" : "each other block", others)
    }
}

/// How many weights a LoRA changes, by the names of its tensors.
public struct LoRASummary: Hashable, Sendable {
    /// Pairs of factors.
    public let pairs: Int
    /// The pairs' ranks, each once, sorted.
    public let ranks: [Int]
    /// Tensors that are no factor: they replace whole weights.
    public let others: Int

    /// Counts pairs; nil if there is none.
    init?(of tensors: [TensorDescriptor]) {
        let first = tensors.filter { $0.name.contains(".lora_A.") && $0.shape.rank == 2 }
        guard !first.isEmpty else { return nil }
        pairs = first.count
        ranks = Set(first.map { $0.shape[0] }).sorted()
        others = tensors.count { !$0.name.contains(".lora_A.") && !$0.name.contains(".lora_B.") }
    }
}
