import Artifacts
import Tensors

/// A stream of latents whose every value is known from its place, for telling a whole block from half.
public struct SyntheticStream: Sendable {
    /// Number of blocks.
    public var blocks: Int
    /// Rows of a latent; a block has 384 values of four bytes per row.
    public var rows: Int
    /// What the values depend on, and the description tells.
    public var seed: UInt64
    /// Latent frames of the lead.
    public var leadFrames: Int

    /// A stream; small by default.
    public init(blocks: Int, rows: Int = 2, seed: UInt64 = 420, leadFrames: Int = 7) {
        self.blocks = blocks
        self.rows = rows
        self.seed = seed
        self.leadFrames = leadFrames
    }

    /// Columns of a latent.
    static let columns = 8

    /// What the stream is.
    public var description: StreamDescription {
        var description = StreamDescription(
            kind: .latents, blockShape: [16, 3, rows, Self.columns], dataType: .float32)
        description.framesPerBlock = 12
        description.framesPerSecond = 25
        description.blocks = blocks
        description.leadFrames = leadFrames
        description.stepsDone = 4
        description.steps = 4
        description.solver = "euler"
        description.seed = seed
        description.provenance = Provenance(
            tool: "stream-probe", toolVersion: "1", options: ["seed": String(seed)])
        return description
    }

    /// The value of an element of a block; block -1 is the lead.
    public func value(block: Int, element: Int) -> Float {
        Float((block &+ 1) &* 7919 &+ element &* 31 &+ Int(truncatingIfNeeded: seed) & 0xFFFFF)
    }

    /// Fills a block, or the lead as block -1, in pieces, calling `pause` after each.
    public func fill(_ block: Int, _ file: TensorFileWriter, pause: () -> Void = {}) throws {
        let pieces = 8
        let count = try file.bytes(of: "latents").count / MemoryLayout<Float>.size
        for start in stride(from: 0, to: count, by: count / pieces) {
            let end = min(start + count / pieces, count)
            let values = (start..<end).map { value(block: block, element: $0) }
            try values.withUnsafeBytes {
                try file.write($0, to: "latents", at: start * MemoryLayout<Float>.size)
            }
            pause()
        }
    }

    /// Writes what is missing, and the end.
    public func write(
        to path: String, range: Range<Int>? = nil, overwrite: Bool = false, pause: () -> Void = {}
    ) throws {
        let writer = try StreamWriter(
            path: path, description: description, range: range, overwrite: overwrite)
        try write(with: writer, pause: pause)
        try writer.finish()
    }

    /// Writes what is missing of a writer's blocks.
    public func write(with writer: StreamWriter, pause: () -> Void = {}) throws {
        if try !writer.hasLead { try writer.writeLead { try fill(-1, $0) } }
        for run in writer.missing {
            for index in run { try writer.write(index) { try fill(index, $0, pause: pause) } }
        }
    }

    /// Whether a block, or the lead as block -1, has all its values.
    public func isWhole(_ block: Int, _ file: TensorFile) throws -> Bool {
        try file.tensor("latents").withElements(as: Float.self) { values in
            values.indices.allSatisfy { values[$0] == value(block: block, element: $0) }
        }
    }

    /// Follows a stream to its end; returns the number of blocks. Throws `NotWhole` at half a block.
    public func follow(
        _ path: String, following: StreamReader.Following, cancellation: Cancellation? = nil
    ) throws -> Int {
        let reader = try StreamReader(
            path: path, kind: .latents, following: following, cancellation: cancellation)
        if let lead = try reader.lead(), try !isWhole(-1, lead) { throw NotWhole(block: -1) }
        var index = 0
        while let block = try reader.block(index) {
            guard try isWhole(index, block) else { throw NotWhole(block: index) }
            index += 1
        }
        return index
    }
}

/// A block appeared that had not all its values.
public struct NotWhole: Error {
    /// The block; -1 is the lead.
    public let block: Int
}
