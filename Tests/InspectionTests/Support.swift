import Artifacts
import Foundation
import Inspection
import Tensors
import TestSupport

/// A tensor file of float tensors.
func writeFloats(
    _ tensors: [String: (shape: Shape, values: [Float])], metadata: [String: String] = [:],
    to path: String
) throws {
    let writer = try TensorFileWriter(
        path: path,
        tensors: tensors.sorted { $0.key < $1.key }.map {
            TensorDescriptor(name: $0, dataType: .float32, shape: $1.shape)
        }, metadata: metadata)
    for (name, tensor) in tensors {
        try tensor.values.withUnsafeBytes { try writer.write($0, to: name) }
    }
    try writer.commit()
}

/// A tensor in memory.
func view<Element: BitwiseCopyable>(
    _ values: [Element], _ dataType: DataType, shape: Shape? = nil
) -> TensorView {
    let owner = Storage(values)
    return TensorView(
        name: "x", dataType: dataType, shape: shape ?? [values.count],
        bytes: UnsafeRawBufferPointer(owner.elements), owner: owner)
}

/// Keeps a tensor's elements where they are.
private final class Storage<Element: BitwiseCopyable> {
    let elements: UnsafeMutableBufferPointer<Element>

    init(_ values: [Element]) {
        elements = .allocate(capacity: values.count)
        _ = elements.initialize(from: values)
    }

    deinit { elements.deallocate() }
}

/// A stream of pictures, each filled with one colour, block 0 shorter than the others.
func writeFrames(to path: String, blocks: Int, colour: (Int) -> [UInt8]) throws {
    let (height, width) = (2, 3)
    var description = StreamDescription(
        kind: .frames, blockShape: [4, height, width, 3], dataType: .uint8)
    description.firstBlockFrames = 3
    description.framesPerBlock = 4
    description.blocks = blocks
    let writer = try StreamWriter(path: path, description: description)
    var frame = 0
    for index in 0..<blocks {
        try writer.write(index) { file in
            let bytes = (0..<(index == 0 ? 3 : 4)).flatMap { _ in
                defer { frame += 1 }
                return (0..<height * width).flatMap { _ in colour(frame) }
            }
            try bytes.withUnsafeBytes { try file.write($0, to: "frames") }
        }
    }
    try writer.finish()
}

/// The one-line description of what `body` throws; nil if it throws nothing.
func message<Value>(of body: () throws -> Value) -> String? {
    do {
        _ = try body()
        return nil
    } catch {
        return "\(error)"
    }
}

/// Changes one byte of a file.
func flipByte(of path: String, at offset: Int) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.seek(toOffset: UInt64(offset))
    let byte = try file.read(upToCount: 1)?.first ?? 0
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: [byte ^ 0xFF])
    try file.close()
}

/// The lines of a listing.
func listing(
    _ path: String, withStatistics: Bool = false, tensor: String? = nil, asJSON: Bool = false
) throws -> [String] {
    var lines: [String] = []
    let listing = try Listing(
        of: Subject(path: path), withStatistics: withStatistics, tensor: tensor)
    try listing.write(asJSON: asJSON, to: { lines.append($0) })
    return lines
}
