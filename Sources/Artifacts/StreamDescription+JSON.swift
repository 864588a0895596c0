import Tensors

/// `stream.json` as it stands: plain values that nobody vouched for.
private struct Document: Codable {
    let kind: String
    let version: String?
    let blockShape: [Int]
    let dataType: String
    let stepInputs: Layout?
    let framesPerBlock: Int?
    let firstBlockFrames: Int?
    let fps: Double?
    let blocks: Int?
    let leadFrames: Int?
    let stepsDone: Int?
    let steps: Int?
    let solver: String?
    let seed: UInt64?
    let restart: StreamDescription.Restart?
    let provenance: Provenance?

    struct Layout: Codable {
        let shape: [Int]
        let dataType: String

        enum CodingKeys: String, CodingKey {
            case shape
            case dataType = "data_type"
        }
    }

    enum CodingKeys: String, CodingKey {
        case kind, version, fps, blocks, steps, solver, seed, restart, provenance
        case blockShape = "block_shape"
        case dataType = "data_type"
        case stepInputs = "step_inputs"
        case framesPerBlock = "frames_per_block"
        case firstBlockFrames = "first_block_frames"
        case leadFrames = "lead_frames"
        case stepsDone = "steps_done"
    }
}

extension StreamDescription: Codable {
    public func encode(to encoder: any Encoder) throws {
        let layout = stepInputs.map {
            Document.Layout(shape: $0.shape.dimensions, dataType: $0.dataType.description)
        }
        let document = Document(
            kind: kind.rawValue, version: String(ArtifactHeader.version),
            blockShape: blockShape.dimensions, dataType: dataType.description, stepInputs: layout,
            framesPerBlock: framesPerBlock, firstBlockFrames: firstBlockFrames,
            fps: framesPerSecond, blocks: blocks, leadFrames: leadFrames, stepsDone: stepsDone,
            steps: steps, solver: solver, seed: seed, restart: restart, provenance: provenance)
        try document.encode(to: encoder)
    }

    /// Throws `Refusal` with the reason if the values make no stream.
    public init(from decoder: any Decoder) throws {
        let document = try Document(from: decoder)
        guard let kind = ArtifactKind(rawValue: document.kind), kind.isStream else {
            throw Refusal(
                "is a '\(printable(document.kind))' file, expected a stream's description")
        }
        if let reason = ArtifactHeader.refusal(ofVersion: document.version) {
            throw Refusal(reason)
        }
        let main = try layout(document.blockShape, document.dataType, "block_shape")
        guard main.shape.rank == 4 else { throw Refusal("'block_shape' has not four axes") }
        self.init(kind: kind, blockShape: main.shape, dataType: main.dataType)
        stepInputs = try document.stepInputs.map {
            try layout($0.shape, $0.dataType, "step_inputs")
        }
        // Indices beyond this have no place in the lock file, and no video is that long.
        let limit = StreamLock.blockLimit
        func count(_ name: String, _ value: Int?, from least: Int) throws -> Int? {
            guard let value else { return nil }
            guard value >= least, value < limit else { throw Refusal("'\(name)' is \(value)") }
            return value
        }
        let shapeLimit = 1 << 20
        framesPerBlock = try count("frames_per_block", document.framesPerBlock, from: 1)
        firstBlockFrames = try count("first_block_frames", document.firstBlockFrames, from: 1)
        blocks = try count("blocks", document.blocks, from: 0)
        leadFrames = try count("lead_frames", document.leadFrames, from: 0)
        guard framesPerBlock ?? 0 <= shapeLimit, firstBlockFrames ?? 0 <= shapeLimit,
            leadFrames ?? 0 <= shapeLimit
        else { throw Refusal("has an impossible number of frames") }
        framesPerSecond = document.fps
        stepsDone = document.stepsDone
        steps = document.steps
        solver = document.solver
        seed = document.seed
        restart = document.restart
        provenance = document.provenance
        guard
            restart.map({ (0..<limit).contains($0.first) && (0..<limit).contains($0.last) }) ?? true
        else { throw Refusal("'restart' has an impossible number") }
    }
}

/// Why a document's values make no sense, as it follows its path.
struct Refusal: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// A type and shape from plain values.
private func layout(
    _ shape: [Int], _ type: String, _ name: String
) throws -> StreamDescription.TensorLayout {
    // Far above any video block; a product of such extents overflows nothing once a frame count of
    // the same bound replaces one of them.
    let extentLimit = 1 << 20
    guard let checked = Shape(checking: shape),
        shape.allSatisfy({ (1...extentLimit).contains($0) }),
        checked.elementCount <= Int.max >> 30
    else { throw Refusal("'\(name)' is \(shape), no shape of a block") }
    guard let dataType = DataType.allCases.first(where: { $0.description == type }) else {
        throw Refusal("has the unknown data type '\(printable(type))'")
    }
    return StreamDescription.TensorLayout(shape: checked, dataType: dataType)
}
