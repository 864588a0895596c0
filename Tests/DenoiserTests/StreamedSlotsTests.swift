import Compute
import ComputeCPU
import Layers
import Tensors
import TestSupport
import Testing

/// Groups that share slots, used in any order, on a device whose queues run in any order.
@Suite struct StreamedSlotsTests {
    private static let rows = 6
    private static let bundle = TensorBundle([
        .init([rows, 8], .float32), .init([rows, 5], .float32),
    ])

    /// Groups as they should be, and as they are.
    private final class Rig {
        let device: ApartDevice
        let groups: [StreamedGroup]
        let slots: StreamedSlots
        var expected: [[Float]]

        init(groups count: Int, slots: Int, pace: ApartDevice.Pace, flaw: ApartDevice.Flaw? = nil)
            throws
        {
            let device = ApartDevice(try CPUDevice(threads: 1), pace: pace, flaw: flaw)
            self.device = device
            groups = try (0..<count).map { _ in
                try StreamedGroup(StreamedSlotsTests.bundle, on: device)
            }
            for group in groups { group.clear() }
            expected = groups.map { _ in [Float](repeating: 0, count: 2 * rows) }
            self.slots = try StreamedSlots(
                count: slots, byteCount: bundle.byteCount, on: device)
            self.slots.order = groups
        }

        /// Sets a row of both tensors of a group to a number, and returns copies of them whole.
        func write(_ value: Float, row: Int, of group: Int) throws -> [Tensor] {
            let bundle = groups[group].bundle
            let ranges = [0, 1].map { bundle.bytes(ofRows: row..<row + 1, of: $0) }
            let tensors = try slots.use(groups[group], overwriting: ranges)
            for tensor in tensors {
                let width = tensor.shape[1]
                let source = try device.tensor([Float](repeating: value, count: width), [1, width])
                device.copy(source, into: tensor.rows(row..<row + 1))
            }
            for index in [0, 1] { expected[group][index * rows + row] = value }
            let copies = try tensors.map { try device.cast($0, to: .float32) }
            // A guess that may be wrong, and must not matter.
            let next = (row + 1) % rows
            groups[group].overwritten = [0, 1].map { bundle.bytes(ofRows: next..<next + 1, of: $0) }
            try slots.finish(groups[group], storing: ranges)
            return copies
        }

        /// The first column of both tensors.
        func columns(_ tensors: [Tensor]) throws -> [Float] {
            try tensors.flatMap { try device.floats($0.columns(0..<1)) }
        }
    }

    /// Runs uses of drawn groups and rows, mostly in order; whether every group was as it should be each time.
    private func isRight(
        groups: Int, slots: Int, pace: ApartDevice.Pace, flaw: ApartDevice.Flaw? = nil,
        seed: UInt64
    ) throws -> Bool {
        let rig = try Rig(groups: groups, slots: slots, pace: pace, flaw: flaw)
        var random = SplitMix(state: seed)
        var (group, isRight) = (0, true)
        var seen: [(copies: [Tensor], expected: [Float])] = []
        for turn in 0..<200 {
            let strays = Int.random(in: 0..<4, using: &random) == 0
            group = strays ? Int.random(in: 0..<groups, using: &random) : (group + 1) % groups
            let row = strays ? Int.random(in: 0..<Self.rows, using: &random) : turn % Self.rows
            let copies = try rig.write(Float(turn + 1), row: row, of: group)
            seen.append((copies, rig.expected[group]))
            // The host runs ahead of the queues, and looks at what they did only now and then.
            if turn % 20 == 19 {
                for (copies, expected) in seen {
                    if try rig.columns(copies) != expected { isRight = false }
                }
                seen = []
            }
        }
        return isRight
    }

    @Test(arguments: [1, 2, 3, 5], [2, 3, 4])
    func anyOrderIsRight(groups: Int, slots: Int) throws {
        let random = (0..<6).map { ApartDevice.Pace.random($0) }
        for pace in [.copiesFirst, .copiesLast] + random {
            #expect(
                try isRight(groups: groups, slots: slots, pace: pace, seed: 3), "\(pace)")
        }
    }

    /// Each kind of wait is needed: without it there is an order in which bits are wrong.
    @Test(arguments: [
        (ApartDevice.Flaw.hastyOperations, ApartDevice.Pace.copiesLast),
        (.hastyFetches, .copiesFirst), (.hastyStores, .copiesFirst),
    ])
    func seesWaitsThatLack(flaw: ApartDevice.Flaw, pace: ApartDevice.Pace) throws {
        #expect(try !isRight(groups: 5, slots: 2, pace: pace, flaw: flaw, seed: 3))
    }

    /// In the expected order each group travels once a round, without what is written anyway; what fits into the slots
    /// does not travel again.
    @Test func travelsOnce() throws {
        for (groups, slots) in [(5, 2), (5, 3), (3, 3)] {
            let rig = try Rig(groups: groups, slots: slots, pace: .random(1))
            func round(_ row: Int) throws -> LinkTraffic {
                let before = rig.slots.traffic
                for group in 0..<groups { _ = try rig.write(1, row: row, of: group) }
                let traffic = rig.slots.traffic
                return LinkTraffic(
                    fetched: traffic.fetched - before.fetched,
                    stored: traffic.stored - before.stored)
            }
            for row in 0..<3 { _ = try round(row) }
            let row = (8 + 5) * 4
            let fetched = groups > slots ? groups * (Self.bundle.byteCount - row) : 0
            #expect(try round(3) == LinkTraffic(fetched: fetched, stored: groups * row))
            try rig.device.synchronize()
            #expect(rig.device.fetchedBytes == rig.slots.traffic.fetched)
            #expect(rig.device.storedBytes == rig.slots.traffic.stored)
        }
    }

    /// What operations that failed left in use is fetched again, and blocks nothing.
    @Test func goesOnAfterAFailure() throws {
        let rig = try Rig(groups: 3, slots: 2, pace: .copiesFirst)
        _ = try rig.write(1, row: 0, of: 0)
        for _ in 0..<3 { _ = try rig.slots.use(rig.groups[1]) }
        _ = try rig.slots.replace(rig.groups[2])
        for group in [1, 2, 0, 2] {
            let copies = try rig.write(2, row: 1, of: group)
            #expect(try rig.columns(copies) == rig.expected[group])
        }
    }
}

/// Several tensors in one piece of memory.
@Suite struct TensorBundleTests {
    /// Numbers of 8 bits travel with the scales of their rows, and every tensor begins where memory of its own would.
    @Test func carriesScales() throws {
        let device = ApartDevice(try CPUDevice(threads: 1), pace: .random(4))
        let matrix = try device.allocateScaledRows([3, 5], .float8E4M3)
        let numbers = (0..<15).map { UInt8($0) }
        numbers.withUnsafeBytes { device.write($0, to: matrix.numbers) }
        let scales = try #require(matrix.scales)
        [Float(1), 2, 3].withUnsafeBytes { device.write($0, to: scales) }
        let bias = try device.tensor([Float(7), 8, 9], [3])
        let bundle = TensorBundle([
            .init([3, 5], .float8E4M3, hasScaledRows: true), .init([3], .float32),
        ])
        #expect(bundle.byteCount == 3 * 256)
        let group = try StreamedGroup(bundle, on: device)
        try group.read([matrix, bias], on: device)
        let slots = try StreamedSlots(count: 2, byteCount: bundle.byteCount, on: device)
        slots.order = [group]
        let found = try slots.use(group)
        try slots.finish(group)
        var bytes = [UInt8](repeating: 0, count: 15)
        try bytes.withUnsafeMutableBytes { try device.read(found[0].numbers, into: $0) }
        #expect(bytes == numbers)
        #expect(found[0].hasScaledRows)
        #expect(try device.floats(#require(found[0].scales)) == [1, 2, 3])
        #expect(try device.floats(found[1]) == [7, 8, 9])
    }

    @Test func rangesOfBytes() {
        let bundle = TensorBundle([.init([4, 2], .bfloat16), .init([10, 16], .float32)])
        #expect(bundle.byteCount == 256 + 768)
        #expect(bundle.bytes(ofRows: 1..<3, of: 0) == 4..<12)
        #expect(bundle.bytes(ofRows: 0..<2, of: 1) == 256..<384)
        #expect(bundle.bytes(except: []) == [0..<1024])
        #expect(bundle.bytes(except: [0..<4, 256..<384]) == [4..<256, 384..<1024])
    }
}
