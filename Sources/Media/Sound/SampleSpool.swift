import Glibc
import Tensors

/// A recording's samples in a file without a name, so that hours of sound take no memory.
public final class SampleSpool {
    /// Number of samples.
    public private(set) var count = 0

    private let file: PartialFile

    /// Decodes a recording's only channel into a file beside `path`, which goes with this object.
    ///
    /// `progress` hears the seconds read so far and may throw to stop. Throws `MediaError`, `SystemError`.
    public init(
        _ reader: SoundReader, beside path: String, progress: (Double) throws -> Void = { _ in }
    ) throws {
        file = try PartialFile(path: path + ".samples")
        // The open file lives on without its name, and goes with the process whatever happens.
        unlink(file.partialPath)
        while let samples = try reader.next() {
            try Array(samples[0]).withUnsafeBytes {
                try file.write($0, at: count * MemoryLayout<Float>.size)
            }
            count += samples.count
            try progress(Double(count) / Double(reader.rate))
        }
    }

    /// The samples of a range, in [-1, 1]. Traps if it is out of bounds. Throws `SystemError`.
    public func samples(_ range: Range<Int>) throws -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let size = MemoryLayout<Float>.size
        return try [Float](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            var done = 0
            while done < range.count * size {
                let got = pread(
                    file.descriptor, bytes.baseAddress.map { $0 + done }, range.count * size - done,
                    range.lowerBound * size + done)
                guard got > 0 else { throw SystemError("read", file.partialPath) }
                done += got
            }
            initialized = range.count
        }
    }
}
