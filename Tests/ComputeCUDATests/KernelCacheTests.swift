import ComputeCUDA
import Foundation
import TestSupport
import Testing

/// Compiled kernels on disk.
@Suite struct KernelCacheTests {
    private let image: [UInt8] = (0..<100).map { UInt8($0) }

    @Test func returnsWhatWasKept() throws {
        let folder = TemporaryFolder()
        let cache = KernelCache(folder: folder.path + "/made/on/demand")
        let key = KernelCache.key(["13.0", "source", "sm_90a"])
        #expect(cache.image(of: key) == nil)
        cache.keep(image, as: key)
        #expect(cache.image(of: key) == image)
        #expect(cache.image(of: KernelCache.key(["13.1", "source", "sm_90a"])) == nil)
    }

    @Test func takesDamagedEntriesForMissing() throws {
        let folder = TemporaryFolder()
        let cache = KernelCache(folder: folder.path)
        let path = folder.path + "/key"
        cache.keep(image, as: "key")
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in [0, 31, 32, whole.count - 1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            #expect(cache.image(of: "key") == nil, "\(length) bytes")
        }
        var flipped = whole
        flipped[40] ^= 1
        try flipped.write(to: URL(fileURLWithPath: path))
        #expect(cache.image(of: "key") == nil)
        cache.keep(image, as: "key")
        #expect(cache.image(of: "key") == image)
    }

    @Test func keysTellPartsApart() {
        #expect(KernelCache.key(["ab", "c"]) != KernelCache.key(["a", "bc"]))
        #expect(KernelCache.key(["a"]) == KernelCache.key(["a"]))
    }

    @Test func doesWithoutAFolder() {
        let cache = KernelCache(folder: "/proc/nowhere")
        cache.keep(image, as: "key")
        #expect(cache.image(of: "key") == nil)
    }
}
