import Foundation
import Glibc
import Tensors
import TestSupport
import Testing

/// Copying bytes of a view without touching them where they are mapped.
@Suite struct ByteReadingTests {
    /// A file of 100 KB, whose bytes tell their places, as a view from its byte 3 on.
    private func view(in folder: TemporaryFolder) throws -> TensorView {
        let path = folder.path("numbers")
        let numbers = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 37 >> 3) }
        try Data(numbers).write(to: URL(fileURLWithPath: path))
        let file = try MappedFile(path: path)
        return TensorView(
            name: "x", dataType: .uint8, shape: [file.bytes.count - 3],
            bytes: UnsafeRawBufferPointer(rebasing: file.bytes[3...]), owner: file)
    }

    private func read(_ view: TensorView, _ range: Range<Int>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        try bytes.withUnsafeMutableBytes { try view.read(range, into: $0) }
        return bytes
    }

    @Test(arguments: [0..<1, 0..<99_997, 4_093..<8_191, 50_000..<50_000])
    func readsWhatIsMapped(range: Range<Int>) throws {
        let folder = TemporaryFolder()
        let view = try view(in: folder)
        #expect(try read(view, range) == Array(view.bytes[range]))
    }

    @Test func readsWhatIsInMemory() throws {
        let numbers = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer { numbers.deallocate() }
        for index in 0..<64 { numbers[index] = UInt8(index) }
        let view = TensorView(
            name: "x", dataType: .uint8, shape: [64], bytes: UnsafeRawBufferPointer(numbers),
            owner: Owner())
        #expect(try read(view, 10..<20) == Array(10..<20))
    }

    private final class Owner {}

    /// A file that takes another's path is not read in its place.
    @Test(arguments: [true, false])
    func readsTheFileThatWasMapped(isReplaced: Bool) throws {
        let folder = TemporaryFolder()
        let view = try view(in: folder)
        let before = Array(view.bytes[0..<100])
        try FileManager.default.removeItem(atPath: folder.path("numbers"))
        if isReplaced {
            try Data(repeating: 7, count: 100_000)
                .write(to: URL(fileURLWithPath: folder.path("numbers")))
        }
        #expect(try read(view, 0..<100) == before)
    }

    /// More than a process may have open.
    @Test func anyNumberOfFilesCanBeMapped() throws {
        let folder = TemporaryFolder()
        _ = try view(in: folder)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = min(Int(limit.rlim_cur), 4_096) + 1
        let files = try (0..<count).map { _ in try MappedFile(path: folder.path("numbers")) }
        #expect(files.allSatisfy { $0.bytes.count == 100_000 })
    }

    /// A mapping of such a file would kill the process where it is touched.
    @Test func aFileThatBecameShorterIsAnError() throws {
        let folder = TemporaryFolder()
        let view = try view(in: folder)
        truncate(folder.path("numbers"), 1_000)
        #expect(try read(view, 0..<997).count == 997)
        #expect(throws: SystemError("read", folder.path("numbers"), code: ENODATA)) {
            try read(view, 900..<1_200)
        }
    }
}
