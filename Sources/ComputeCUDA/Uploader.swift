import Dispatch
import Glibc
import Synchronization
import Tensors

/// Brings bytes of the host to the card at the speed of the link: threads, each with pinned buffers of its own, copy pieces into
/// them, from which the card takes them in a stream of its own while the next ones are filled.
final class Uploader {
    private let context: Context
    private let stream: Stream
    private let memory: PinnedBuffer
    private let lanes: [Lane]
    private let mark: Event
    private var first = 0

    /// Threads at most: 16 bring 55 GB/s out of the page cache, what a PCIe 5 link carries, and 8 bring 33.
    private static let mostLanes = 16
    /// Fewer bytes are not worth another thread.
    private static let leastBytes = 256 << 10

    /// An uploader with its pinned buffers.
    init(_ context: Context) throws {
        self.context = context
        stream = try Stream(context)
        mark = try Event(context)
        let count = min(max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))), Self.mostLanes)
        let memory = try PinnedBuffer(context, byteCount: count * Lane.byteCount)
        let stream = stream
        lanes = try (0..<count).map { lane in
            let bytes = memory.bytes[lane * Lane.byteCount..<(lane + 1) * Lane.byteCount]
            return try Lane(
                context, stream, memory: UnsafeMutableRawBufferPointer(rebasing: bytes))
        }
        self.memory = memory
    }

    // Copies out of the buffers may be under way.
    deinit {
        try? context.activate()
        try? stream.synchronize()
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
        let pieceBytes = pieceBytes(of: view.bytes.count)
        let pieces = (view.bytes.count + pieceBytes - 1) / pieceBytes
        let next = Atomic(0)
        let failure = Mutex<(any Error)?>(nil)
        // Small tensors take turns, lest each wait for the one before it.
        let (lanes, first) = (lanes, first)
        self.first = (first + pieces) % lanes.count
        DispatchQueue.concurrentPerform(iterations: min(pieces, lanes.count)) { number in
            do {
                try lanes[(first + number) % lanes.count].put(view, at: address) {
                    let piece = next.add(1, ordering: .relaxed).oldValue
                    guard piece < pieces else { return nil }
                    let start = piece * pieceBytes
                    return start..<min(start + pieceBytes, view.bytes.count)
                }
            } catch {
                failure.withLock { $0 = $0 ?? error }
                next.store(pieces, ordering: .relaxed)
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Equally many pieces for each thread, of whole pages, lest all wait for one that has one more.
    private func pieceBytes(of byteCount: Int) -> Int {
        let most = lanes.count * Lane.pieceBytes
        let rounds = (byteCount + most - 1) / most
        let count = rounds * lanes.count
        return max(Self.leastBytes, ((byteCount + count - 1) / count).roundedUp(to: 4096))
    }
}

/// Pinned buffers that one thread at a time fills in turn, each with a mark behind its last copy.
private final class Lane: @unchecked Sendable {
    /// Bytes that go to the card at once, at most: more, and threads wait for the last one at the end of each tensor; fewer, and
    /// the 2.5 µs that each copy takes beside its bytes begin to count.
    static let pieceBytes = 2 << 20
    /// Bytes of all buffers: with fewer than three pieces threads wait for the card, and more no longer stay in the caches.
    static let byteCount = 3 * pieceBytes

    private let context: Context
    private let stream: Stream
    private let buffers: [(pinned: UnsafeMutableRawBufferPointer, taken: Event)]
    private var next = 0

    /// A lane whose copies go through a stream.
    init(_ context: Context, _ stream: Stream, memory: UnsafeMutableRawBufferPointer) throws {
        self.context = context
        self.stream = stream
        buffers = try stride(from: 0, to: Self.byteCount, by: Self.pieceBytes).map { start in
            let bytes = memory[start..<start + Self.pieceBytes]
            return (UnsafeMutableRawBufferPointer(rebasing: bytes), try Event(context))
        }
    }

    /// Puts pieces of a view into the stream, those that it is given, until there are no more.
    func put(_ view: TensorView, at address: UInt64, nextPiece: () -> Range<Int>?) throws {
        try context.activate()
        while let range = nextPiece() {
            let (pinned, taken) = buffers[next]
            next = (next + 1) % buffers.count
            try taken.synchronize()
            try view.read(range, into: pinned)
            try context.driver.check(
                context.driver.copyToDevice(
                    address + UInt64(range.lowerBound), pinned.baseAddress!, range.count,
                    stream.handle),
                "cuMemcpyHtoDAsync")
            try taken.record(in: stream)
        }
    }
}
