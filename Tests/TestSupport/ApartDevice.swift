import Compute
import Tensors

/// A device whose memory is apart, made of one whose memory is not: operations, fetches and stores are three queues that run
/// late, in any order that marks allow, so that a wait that lacks is seen as wrong bits.
///
/// Weights of `linear` lie row-major, so that they can travel.
public final class ApartDevice: LinkedDevice {
    /// Which of the queues runs where several may.
    public enum Pace: Sendable {
        /// Copies as early as marks allow.
        case copiesFirst
        /// Operations as early as marks allow.
        case copiesLast
        /// Drawn with a seed.
        case random(UInt64)
    }

    /// What the device gets wrong, for tests of tests.
    public enum Flaw: Sendable {
        /// Operations do not wait for marks.
        case hastyOperations
        /// Fetches do not wait for marks.
        case hastyFetches
        /// Stores do not wait for marks.
        case hastyStores
    }

    /// The device that does the work.
    public let base: any Device
    /// Bytes of the copies that were done.
    public private(set) var fetchedBytes = 0
    /// The same in the other direction.
    public private(set) var storedBytes = 0
    /// Marks that were asked for.
    public private(set) var markCount = 0

    private let pace: Pace
    private let flaw: Flaw?
    private var random: SplitMix
    private var operations = Queue()
    private var fetches = Queue()
    private var stores = Queue()

    /// A device that works as `base` does.
    public init(_ base: any Device, pace: Pace, flaw: Flaw? = nil) {
        self.base = base
        self.pace = pace
        self.flaw = flaw
        var seed: UInt64 = 0
        if case .random(let drawn) = pace { seed = drawn }
        random = SplitMix(state: seed)
    }

    public var name: String { base.name }
    public var activationType: DataType { base.activationType }
    public var matrixType: DataType { base.matrixType }

    /// Asks for an operation.
    func perform(_ work: @escaping () throws -> Void) { operations.entries.append(Entry(work)) }
}

/// Work that may run when marks have passed.
private struct Entry {
    let marks: [PassedMark]
    let work: () throws -> Void

    init(after marks: [PassedMark] = [], _ work: @escaping () throws -> Void) {
        self.marks = marks
        self.work = work
    }
}

/// Work in its order.
private struct Queue {
    var entries: [Entry] = []
    private var done = 0

    var isEmpty: Bool { done == entries.count }
    /// Whether the first one may run.
    var isReady: Bool { !isEmpty && entries[done].marks.allSatisfy(\.hasPassed) }

    /// Adds work behind marks; a mark that passes when it is done.
    mutating func append(
        after marks: [any Mark], _ work: @escaping () throws -> Void
    ) -> any Mark {
        let mark = PassedMark()
        entries.append(
            Entry(after: marks.compactMap { $0 as? PassedMark }) {
                try work()
                mark.hasPassed = true
            })
        return mark
    }

    mutating func removeFirst() -> Entry {
        done += 1
        defer {
            if isEmpty { self = Queue() }
        }
        return entries[done - 1]
    }
}

private final class PassedMark: Mark {
    var hasPassed = false
}

/// Memory that only copies reach.
private final class SeparateMemory: HostBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ byteCount: Int) {
        bytes = .allocate(byteCount: byteCount, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0xEE)
    }

    deinit {
        bytes.initializeMemory(as: UInt8.self, repeating: 0xEE)
        bytes.deallocate()
    }
}

// MARK: - Link

extension ApartDevice {
    public func allocateOnHost(_ byteCount: Int) -> any HostBuffer { SeparateMemory(byteCount) }

    public func fetch(
        _ bytes: UnsafeRawBufferPointer, into tensor: Tensor, after marks: [any Mark]
    ) -> any Mark {
        precondition(bytes.count == tensor.byteCount)
        return fetches.append(after: flaw == .hastyFetches ? [] : marks) { [unowned self] in
            try base.write(bytes, to: tensor)
            fetchedBytes += bytes.count
        }
    }

    public func store(
        _ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer, after marks: [any Mark]
    ) -> any Mark {
        precondition(bytes.count == tensor.byteCount)
        return stores.append(after: flaw == .hastyStores ? [] : marks) { [unowned self] in
            try base.read(tensor, into: bytes)
            storedBytes += bytes.count
        }
    }

    public func mark() -> any Mark {
        markCount += 1
        let mark = PassedMark()
        perform { mark.hasPassed = true }
        return mark
    }

    public func wait(for mark: any Mark) {
        guard flaw != .hastyOperations, let mark = mark as? PassedMark else { return }
        operations.entries.append(Entry(after: [mark]) {})
    }

    public func synchronize() throws {
        while !(operations.isEmpty && fetches.isEmpty && stores.isEmpty) { try runNext() }
    }

    /// Waits for the operations.
    func finishOperations() throws {
        while !operations.isEmpty { try runNext() }
    }

    /// Runs the first entry of one of the queues.
    private func runNext() throws {
        let queues: [ReferenceWritableKeyPath<ApartDevice, Queue>] =
            switch pace {
            case .copiesFirst: [\.stores, \.fetches, \.operations]
            case .copiesLast: [\.operations, \.stores, \.fetches]
            case .random: [\.stores, \.fetches, \.operations].shuffled(using: &random)
            }
        guard let queue = queues.first(where: { self[keyPath: $0].isReady }) else {
            preconditionFailure("every queue waits for another")
        }
        try self[keyPath: queue].removeFirst().work()
    }
}

// MARK: - Memory

extension ApartDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        try base.allocate(shape, dataType)
    }

    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) throws -> Tensor {
        guard case .linear = use, dataType != .float8E4M3 else {
            return try base.load(views, as: dataType, for: use)
        }
        guard dataType == .int8 else {
            return try base.load(views, as: dataType, for: .elements)
        }
        // The processor would pack them.
        let weight = try base.allocateScaledRows(views.stackedShape, dataType)
        try base.copy(base.load(views, as: .float32, for: .elements), into: weight)
        return weight
    }

    public func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor {
        try base.load(numbers, scales: scales)
    }

    public func allocateInput(rows: Int, of weight: Tensor) throws -> Tensor {
        try base.allocateInput(rows: rows, of: weight)
    }

    public func wantsTiledValues(head: Int) -> Bool { base.wantsTiledValues(head: head) }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) {
        let copy = Array(bytes)
        perform { [base] in try copy.withUnsafeBytes { try base.write($0, to: tensor) } }
    }

    public func clear(_ tensor: Tensor) { perform { [base] in try base.clear(tensor) } }

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        try finishOperations()
        try base.read(tensor, into: bytes)
    }
}
