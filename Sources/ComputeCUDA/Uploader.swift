import Dispatch
import Glibc
import Synchronization
import Tensors

/// Brings bytes of the host to the card at the speed of the link: threads copy them into pinned buffers,
/// from which the card takes them in a stream of its own while the next ones are filled.
final class Uploader {
    private let context: Context
    private let stream: Stream
    private let buffers: [(pinned: PinnedBuffer, taken: Event)]
    private let mark: Event
    private var next = 0

    /// Two would do for the card; four hide the unsteadiness of threads that read from a disk.
    private static let bufferCount = 4
    private static let bufferBytes = 32 << 20
    /// What one thread copies at a time.
    private static let pieceBytes = 1 << 20

    /// An uploader with its pinned buffers.
    init(_ context: Context) throws {
        self.context = context
        stream = try Stream(context)
        mark = try Event(context)
        buffers = try (0..<Self.bufferCount).map { _ in
            (try PinnedBuffer(context, byteCount: Self.bufferBytes), try Event(context))
        }
    }

    /// Copies a view's bytes to an address of the card, whose memory is the `owner` stream's: the copy begins
    /// behind what that stream holds now, and what is put into it later comes behind the copy. The view
    /// may go when the call returns. Throws what reading its file throws.
    func upload(_ view: TensorView, to address: UInt64, of owner: Stream) throws {
        try stream.wait(for: owner, by: mark)
        do {
            try put(view, at: address)
        } catch {
            // What is on its way must arrive before somebody else has the memory.
            try? stream.synchronize()
            throw error
        }
        try owner.wait(for: stream, by: mark)
    }

    private func put(_ view: TensorView, at address: UInt64) throws {
        var offset = 0
        while offset < view.bytes.count {
            let count = min(Self.bufferBytes, view.bytes.count - offset)
            let (pinned, taken) = buffers[next]
            next = (next + 1) % buffers.count
            try taken.synchronize()
            try Self.read(view, offset..<offset + count, into: pinned.bytes)
            try context.driver.check(
                context.driver.copyToDevice(
                    address + UInt64(offset), pinned.bytes.baseAddress!, count, stream.handle),
                "cuMemcpyHtoDAsync")
            try taken.record(in: stream)
            offset += count
        }
    }

    private static func read(
        _ view: TensorView, _ range: Range<Int>, into target: UnsafeMutableRawBufferPointer
    ) throws {
        nonisolated(unsafe) let target = target
        let failure = Mutex<SystemError?>(nil)
        let pieces = (range.count + pieceBytes - 1) / pieceBytes
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let first = piece * pieceBytes
            let count = min(pieceBytes, range.count - first)
            let start = range.lowerBound + first
            do throws(SystemError) {
                try view.read(
                    start..<start + count,
                    into: UnsafeMutableRawBufferPointer(rebasing: target[first..<first + count]))
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
