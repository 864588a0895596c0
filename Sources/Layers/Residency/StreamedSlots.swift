import Compute
import Tensors

/// Memory of the device that streamed groups share: one group is used at a time, while copies bring those that are
/// expected next.
///
/// Operations wait for the copies they need, and copies for the operations and copies in front of them, all on the device: the
/// host never waits. Any order of use is right; the one that was expected is fast.
public final class StreamedSlots {
    /// The groups in the order in which they are used, again and again. All that are used must be among them.
    public var order: [StreamedGroup] = [] {
        didSet {
            let places = order.enumerated().map { (ObjectIdentifier($1), $0) }
            self.places = Dictionary(uniqueKeysWithValues: places)
        }
    }
    /// Bytes that were asked for so far.
    public private(set) var traffic = LinkTraffic()

    private let device: any LinkedDevice
    private let slots: [Slot]
    private var places: [ObjectIdentifier: Int] = [:]
    private var current: (slot: Slot, group: StreamedGroup)?
    private var turns = 0

    /// `count` slots, 2 at least, for groups of up to `byteCount` bytes.
    public init(count: Int, byteCount: Int, on device: any LinkedDevice) throws {
        precondition(count >= 2)
        self.device = device
        slots = try (0..<count).map { _ in
            let memory = try device.holding(.long) { try device.allocate([byteCount], .uint8) }
            // It is this memory's turn only behind what used it before.
            return Slot(memory: memory, used: try device.mark())
        }
    }

    // Copies may be under way, in and out of memory that is about to go.
    deinit { try? device.synchronize() }
}

/// Memory for one group, and what must pass before it changes hands.
private final class Slot {
    let memory: Tensor
    /// The group whose elements are here, or on their way.
    var group: StreamedGroup?
    /// Bytes of the group that were left out, as they were expected to be written before they are read.
    var lacking: [Range<Int>] = []
    /// Passes when the latest fetch is here; nil if operations have waited for it.
    var fetched: (any Mark)?
    /// Passes when the latest operations on the memory are done.
    var used: (any Mark)?
    /// Passes when the latest store has read the memory.
    var stored: (any Mark)?
    /// When it was taken last.
    var turn = 0

    init(memory: Tensor, used: any Mark) {
        self.memory = memory
        self.used = used
    }
}

// MARK: - Use

extension StreamedSlots {
    /// The tensors of a group for the operations that follow, up to `finish`. Bytes of `overwritten`, in order, are undefined:
    /// the operations write them before they read them.
    ///
    /// What was in use before is let go: operations that failed leave it so.
    public func use(
        _ group: StreamedGroup, overwriting overwritten: [Range<Int>] = []
    ) throws -> [Tensor] {
        try abandon()
        let slot = holder(of: group) ?? victim(for: group)
        if slot.group !== group {
            try fetch(group, into: slot, except: overwritten)
        } else if slot.lacking != overwritten {
            try fetch(slot.lacking, of: group, into: slot, after: [])
        }
        slot.lacking = []
        try take(slot, for: group)
        try fetchAhead(of: group)
        return group.bundle.tensors(in: slot.memory)
    }

    /// Undefined tensors in place of a group's, up to `finish`: operations write some, which are then stored.
    public func replace(_ group: StreamedGroup) throws -> [Tensor] {
        try abandon()
        let slot = holder(of: group) ?? victim(for: group)
        slot.group = nil
        try take(slot, for: group)
        return group.bundle.tensors(in: slot.memory)
    }

    /// Ends the use of a group behind the operations asked for so far, and begins to store bytes that they wrote.
    public func finish(_ group: StreamedGroup, storing ranges: [Range<Int>] = []) throws {
        guard let slot = current?.slot, current?.group === group else {
            preconditionFailure("a group is finished that is not in use")
        }
        let done = try device.mark()
        slot.used = done
        for range in ranges {
            slot.stored = try device.store(
                slot.memory.rows(range),
                into: UnsafeMutableRawBufferPointer(rebasing: group.host.bytes[range]),
                after: [done])
            group.stored = slot.stored
            traffic.stored += range.count
        }
        current = nil
        if slot.group === group { try fetchAhead(of: group) }
    }

    /// Lets go of what operations that failed left in use, and of what they may have left half written.
    private func abandon() throws {
        guard let slot = current?.slot else { return }
        slot.group = nil
        slot.used = try device.mark()
        current = nil
    }

    /// Makes operations wait for the copies of a slot that is theirs now.
    private func take(_ slot: Slot, for group: StreamedGroup) throws {
        for mark in [slot.fetched, slot.stored].compactMap(\.self) {
            try device.wait(for: mark)
        }
        (slot.fetched, slot.stored) = (nil, nil)
        turns += 1
        slot.turn = turns
        current = (slot, group)
    }
}

// MARK: - Fetching

extension StreamedSlots {
    /// Begins to fetch the groups that are expected behind one into all slots that are not in use.
    private func fetchAhead(of group: StreamedGroup) throws {
        let free = slots.filter { $0 !== current?.slot }
        let next = following(group).prefix(free.count)
        for group in next where holder(of: group) == nil {
            // A slot in use holds no group that has to be fetched, so that one of the others is left.
            let slot = free.first { slot in !next.contains { $0 === slot.group } }
            guard let slot else { return }
            try fetch(group, into: slot, except: group.overwritten)
        }
    }

    /// Begins to fetch a group, but for some of its bytes.
    private func fetch(
        _ group: StreamedGroup, into slot: Slot, except lacking: [Range<Int>]
    ) throws {
        slot.group = nil
        try fetch(
            group.bundle.bytes(except: lacking), of: group, into: slot,
            after: [slot.used, slot.stored, group.stored].compactMap(\.self))
        (slot.group, slot.lacking) = (group, lacking)
        turns += 1
        slot.turn = turns
    }

    private func fetch(
        _ ranges: [Range<Int>], of group: StreamedGroup, into slot: Slot, after marks: [any Mark]
    ) throws {
        for range in ranges {
            slot.fetched = try device.fetch(
                UnsafeRawBufferPointer(rebasing: group.host.bytes[range]),
                into: slot.memory.rows(range), after: marks)
            traffic.fetched += range.count
            // Whatever comes next in this direction comes behind what this waited for.
            (slot.used, slot.stored, group.stored) = (nil, nil, nil)
        }
    }

    private func holder(of group: StreamedGroup) -> Slot? {
        slots.first { $0.group === group }
    }

    /// The slot to give up for a group: the empty one longest untouched, or the one whose group is used last.
    private func victim(for group: StreamedGroup) -> Slot {
        func distance(_ slot: Slot) -> Int {
            guard let held = slot.group else { return order.count }
            return (place(of: held) - place(of: group) + order.count) % order.count
        }
        let slot = slots.max { (distance($0), $1.turn) < (distance($1), $0.turn) }
        guard let slot else { preconditionFailure("there are no slots") }
        return slot
    }

    /// All groups in the order in which they are expected behind one, itself last.
    private func following(_ group: StreamedGroup) -> [StreamedGroup] {
        let place = place(of: group)
        return Array(order[(place + 1)...] + order[...place])
    }

    private func place(of group: StreamedGroup) -> Int {
        guard let place = places[ObjectIdentifier(group)] else {
            preconditionFailure("a group is used that is not in the order of use")
        }
        return place
    }
}
