import Dispatch
import Tensors

/// Reads a tensor's elements from front to back in pieces, on every core, in bounded memory.
enum TensorScan {
    /// Elements of a piece: as float64, what fits into a core's cache.
    static let chunkLength = 1 << 15

    /// Calls `body` with each run of up to `chunkLength` indices below `count`, several at once;
    /// returns the results in order, so that what is made of them does not depend on the cores.
    static func chunks<Result>(of count: Int, _ body: (Range<Int>) -> Result) -> [Result] {
        let chunks = (count + chunkLength - 1) / chunkLength
        return [Result](unsafeUninitializedCapacity: chunks) { results, initialized in
            nonisolated(unsafe) let results = results
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: chunks) { index in
                let start = index * chunkLength
                let range = start..<min(start + chunkLength, count)
                results.initializeElement(at: index, to: body(range))
            }
            initialized = chunks
        }
    }
}

extension TensorView {
    /// A run of the elements as float64, in row-major order.
    func doubles(_ range: Range<Int>) -> [Double] {
        let size = dataType.size
        return TensorView(
            name: name, dataType: dataType, shape: [range.count],
            bytes: UnsafeRawBufferPointer(
                rebasing: bytes[range.lowerBound * size..<range.upperBound * size]),
            owner: owner
        ).doubles()
    }

    /// Lets go of a run's pages, so that a file larger than memory does not fill it.
    func release(_ range: Range<Int>) {
        guard let file = owner as? MappedFile, let start = file.bytes.baseAddress,
            let own = bytes.baseAddress
        else { return }
        let size = dataType.size
        let offset = own - start
        file.advise(
            .dontNeed, offset + range.lowerBound * size..<offset + range.upperBound * size)
    }
}
