import Foundation
import Media
import Tensors
import TestSupport

/// The path of a fixture of this room.
func media(_ name: String) -> String { Fixtures.path("media/" + name) }

/// A golden tensor of the tiny checkpoint's runs.
func golden(_ file: String, _ name: String) throws -> TensorView {
    try TensorFile(path: Fixtures.path("open/goldens/\(file).safetensors")).tensor(name)
}

/// A golden 8-bit picture, [height, width, 3].
func goldenImage(_ file: String, _ name: String) throws -> Image {
    let tensor = try golden(file, name)
    return tensor.withElements(as: UInt8.self) {
        Image(height: tensor.shape[0], width: tensor.shape[1], values: Array($0))
    }
}

/// Golden floats, flat.
func goldenFloats(_ file: String, _ name: String) throws -> [Float] {
    try golden(file, name).withElements(as: Float.self) { Array($0) }
}

/// A PCM wave file of interleaved little-endian samples.
func writeWave(
    _ data: Data, rate: Int, channels: Int, bits: Int, to path: String
) throws {
    var file = Data()
    func number(_ value: Int, _ size: Int) {
        for byte in 0..<size { file.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    let frame = channels * bits / 8
    file += Data("RIFF".utf8)
    number(36 + data.count, 4)
    file += Data("WAVEfmt ".utf8)
    for (value, size) in [
        (16, 4), (1, 2), (channels, 2), (rate, 4), (rate * frame, 4), (frame, 2), (bits, 2),
    ] {
        number(value, size)
    }
    file += Data("data".utf8)
    number(data.count, 4)
    try (file + data).write(to: URL(fileURLWithPath: path))
}

/// A wave file of 16-bit samples, [samples][channels] by `value`, in [-1, 1].
func writeWave(
    count: Int, rate: Int, channels: Int = 1, to path: String, value: (Int, Int) -> Double
) throws {
    var samples: [Int16] = []
    samples.reserveCapacity(count * channels)
    for index in 0..<count {
        for channel in 0..<channels {
            samples.append(Int16((value(index, channel) * 32767).rounded()))
        }
    }
    let data = samples.withUnsafeBytes { Data($0) }
    try writeWave(data, rate: rate, channels: channels, bits: 16, to: path)
}

/// A picture of one colour.
func plain(_ height: Int, _ width: Int, _ colour: (UInt8, UInt8, UInt8)) -> Image {
    Image(
        height: height, width: width,
        values: (0..<height * width).flatMap { _ in [colour.0, colour.1, colour.2] })
}

/// Most that two pictures differ anywhere, and the share of values that differ.
func difference(_ one: Image, _ other: Image) -> (largest: Int, share: Double) {
    guard one.height == other.height, one.width == other.width else { return (256, 1) }
    let differences = zip(one.values, other.values).map { abs(Int($0) - Int($1)) }
    let changed = differences.filter { $0 > 0 }.count
    return (differences.max() ?? 0, Double(changed) / Double(max(1, differences.count)))
}

/// The message of the error that `body` throws, or "no error".
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch { return "\(error)" }
}

/// The strongest sample's distance between two signals, and their distance relative to the second.
func distance(_ one: [Float], _ other: [Float]) -> (largest: Float, relative: Float) {
    guard one.count == other.count else { return (.infinity, .infinity) }
    let differences = zip(one, other).map { $0 - $1 }
    let power = other.map { $0 * $0 }.reduce(0, +)
    let error = differences.map { $0 * $0 }.reduce(0, +)
    return (differences.map(abs).max() ?? 0, (error / power).squareRoot())
}
