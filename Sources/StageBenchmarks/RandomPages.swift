import Glibc
import Tensors

/// Random numbers in the pages of a file without a name, which can be seen as a tensor of any size: the same pages are mapped
/// again and again, so that a model's 32 GB need not exist.
final class RandomPages {
    /// The same pages, as often as a tensor needs them.
    final class Mapping {
        /// The bytes of the tensor.
        let bytes: UnsafeRawBufferPointer
        private let reserved: Int
        fileprivate let pages: RandomPages

        fileprivate init(pages: RandomPages, count: Int) throws(SystemError) {
            reserved = max(1, (count + pages.period - 1) / pages.period) * pages.period
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
            guard let start = mmap(nil, reserved, PROT_NONE, flags, -1, 0), start != MAP_FAILED
            else { throw SystemError("make room for", pages.name) }
            bytes = UnsafeRawBufferPointer(start: start, count: count)
            self.pages = pages
            for offset in stride(from: 0, to: reserved, by: pages.period) {
                let place = mmap(
                    start + offset, pages.period, PROT_READ, MAP_SHARED | MAP_FIXED,
                    pages.descriptor, 0)
                guard place != MAP_FAILED else { throw SystemError("map", pages.name) }
            }
        }

        deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), reserved) }
    }

    fileprivate let name: String
    fileprivate let descriptor: Int32
    fileprivate let period: Int

    /// Bytes after which the numbers repeat: many pages, and a prime, lest rows of a weight be alike.
    private static let bytesPerPeriod = 4099 * 4096

    /// Uniform numbers of a float type around `middle`, as far as `spread` away from it. Throws
    /// `SystemError` if there is no room for a temporary file.
    init(_ dataType: DataType, middle: Float, spread: Float, seed: UInt64) throws(SystemError) {
        period = Self.bytesPerPeriod
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((folder + "/random-numbers-XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        name = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        guard descriptor >= 0 else { throw SystemError("create", name) }
        unlink(name)
        let code = posix_fallocate(descriptor, 0, period)
        guard code == 0 else { throw SystemError("fill", name, code: code) }
        guard let start = mmap(nil, period, PROT_WRITE, MAP_SHARED, descriptor, 0),
            start != MAP_FAILED
        else { throw SystemError("map", name) }
        defer { munmap(start, period) }
        var numbers = RandomNumbers(seed: seed)
        if dataType == .bfloat16 {
            for number in start.bindMemory(to: BFloat16.self, count: period / 2) {
                number.pointee = BFloat16(middle + spread * numbers.next())
            }
        } else {
            precondition(dataType == .float32)
            for number in start.bindMemory(to: Float.self, count: period / 4) {
                number.pointee = middle + spread * numbers.next()
            }
        }
    }

    deinit { close(descriptor) }

    /// A tensor's worth of bytes. Throws `SystemError` if there is no room for them.
    func mapping(byteCount: Int) throws(SystemError) -> Mapping {
        try Mapping(pages: self, count: byteCount)
    }
}

extension RandomPages.Mapping: ByteReading {
    /// As from a file that is in the page cache.
    func read(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        guard let first = source.baseAddress else { return }
        let start = first - bytes.baseAddress!
        var done = 0
        while done < source.count {
            let offset = (start + done) % pages.period
            let count = min(source.count - done, pages.period - offset)
            try Tensors.read(
                pages.descriptor, at: offset, count: count,
                into: UnsafeMutableRawBufferPointer(rebasing: target[done...]), path: pages.name)
            done += count
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Pointers to successive elements.
    fileprivate func bindMemory<Element>(
        to type: Element.Type, count: Int
    ) -> LazyMapSequence<Range<Int>, UnsafeMutablePointer<Element>> {
        let start = bindMemory(to: type, capacity: count)
        return (0..<count).lazy.map { start + $0 }
    }
}

/// Uniform numbers between -1 and 1, the same for the same seed everywhere.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014, figure 17.
struct RandomNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The next number.
    mutating func next() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Float(Int32(truncatingIfNeeded: (z ^ (z >> 31)) >> 32)) * 0x1p-31
    }

    /// Numbers of variance 1.
    static func floats(_ count: Int, seed: UInt64) -> [Float] {
        var numbers = RandomNumbers(seed: seed)
        let unit = Float(3).squareRoot()
        return (0..<count).map { _ in unit * numbers.next() }
    }
}
