import Foundation

/// Philox 4x32-10, a counter-based random generator: the same key and counter, the same four words.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
public struct PhiloxRandom: Sendable {
    /// The seed.
    public let key: UInt64

    /// A generator for a seed.
    public init(seed: UInt64) {
        key = seed
    }

    /// The words of a counter of four words, the least significant first.
    public func words(
        _ counter: (UInt32, UInt32, UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var (c0, c1, c2, c3) = counter
        var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        for round in 0..<10 {
            if round > 0 {
                k0 &+= 0x9E37_79B9
                k1 &+= 0xBB67_AE85
            }
            let first = UInt64(c0) * 0xD251_1F53
            let second = UInt64(c2) * 0xCD9E_8D57
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: second >> 32) ^ c1 ^ k0,
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ c3 ^ k1,
                UInt32(truncatingIfNeeded: first)
            )
        }
        return (c0, c1, c2, c3)
    }
}

extension PhiloxRandom {
    /// What PyTorch's `randn` gives on a CUDA card for a fresh generator with this seed, in flat
    /// order.
    ///
    /// 256 threads a block, at most eight blocks a multiprocessor; each thread makes four normal
    /// numbers a round, which go to places one grid apart. Source:
    /// `distribution_elementwise_grid_stride_kernel` in
    /// https://github.com/pytorch/pytorch/blob/v2.11.0/aten/src/ATen/native/cuda/DistributionTemplates.h
    public func normals(count: Int, multiprocessors: Int) -> [Float] {
        precondition(count >= 0 && multiprocessors > 0)
        let blockThreads = 256
        let blocks = min((count + blockThreads - 1) / blockThreads, 8 * multiprocessors)
        let threads = blocks * blockThreads
        return [Float](unsafeUninitializedCapacity: count) { normals, filled in
            // Every place is written by one of the threads, whatever runs at once: a card waits for this in front of a clip.
            nonisolated(unsafe) let normals = normals
            DispatchQueue.concurrentPerform(iterations: blocks) { block in
                for thread in block * blockThreads..<(block + 1) * blockThreads {
                    fill(normals, thread: thread, of: threads)
                }
            }
            filled = count
        }
    }

    /// The numbers of one thread of a card.
    private func fill(
        _ normals: UnsafeMutableBufferPointer<Float>, thread: Int, of threads: Int
    ) {
        for (round, first) in stride(from: thread, to: normals.count, by: 4 * threads).enumerated()
        {
            let words = words(
                (
                    UInt32(truncatingIfNeeded: round), 0, UInt32(truncatingIfNeeded: thread),
                    UInt32(truncatingIfNeeded: thread >> 32)
                ))
            let (a, b) = Self.boxMuller(words.0, words.1)
            let (c, d) = Self.boxMuller(words.2, words.3)
            for (index, value) in zip(
                stride(from: first, to: normals.count, by: threads), [a, b, c, d])
            {
                normals[index] = value
            }
        }
    }

    /// Two independent normal numbers from two words. Source: `curand_normal.h` of CUDA.
    private static func boxMuller(_ x: UInt32, _ y: UInt32) -> (Float, Float) {
        let scale = Float(0x1p-32)
        let u = Float(x) * scale + scale / 2
        let v = Float(y) * (scale * 2 * .pi) + scale * .pi
        let radius = (-2 * log(Double(u))).squareRoot()
        return (Float(radius * sin(Double(v))), Float(radius * cos(Double(v))))
    }

    /// How far ahead of a block the reference sits in one pass: uniform from 4 to 30, keyed by its
    /// place.
    ///
    /// The released code draws it from an unseeded generator.
    public func sinkDistance(clip: Int, block: Int, step: Int) -> Int {
        let range = 4...30
        // The last counter word keeps these draws apart from those of the noise.
        let word = words(
            (
                UInt32(truncatingIfNeeded: clip), UInt32(truncatingIfNeeded: block),
                UInt32(truncatingIfNeeded: step), 0x7369_6E6B
            )
        ).0
        return range.lowerBound + Int((UInt64(word) * UInt64(range.count)) >> 32)
    }
}
