import ArgumentParser
import Compute
import ComputeCPU
import ComputeCUDA
import Foundation
import Glibc
import Planning

/// Devices to plan for, as they are typed: `cpu`, `cpu:64GiB`, `cuda:0`, `22.15GiB`, `4x22.15GiB`, several with commas.
public struct PlannedDevices: Sendable {
    private let items: [Item]

    private enum Item: Sendable {
        case device(DeviceName)
        /// A processor with that much memory, as it was typed.
        case processor(String, ByteCount)
        /// A card of that size, as it was typed.
        case card(String, ByteCount)
    }

    private static let most = 64

    private init(_ items: [Item]) { self.items = items }

    /// What this machine has: every card that can be used, or else the processor. Throws why, if there are cards and none can be.
    public static func here() throws -> PlannedDevices {
        var reason: (any Error)?
        let cards = (0..<((try? CUDADevice.cardCount()) ?? 0)).filter { ordinal in
            do {
                _ = try CUDADevice(ordinal: ordinal)
                return true
            } catch {
                reason = reason ?? error
                return false
            }
        }
        if cards.isEmpty, let reason { throw reason }
        return PlannedDevices(
            cards.isEmpty ? [.device(.cpu)] : cards.prefix(most).map { .device(.cuda($0)) })
    }

    /// Reads what was typed; throws `ValidationError`.
    public init(_ argument: String) throws {
        var items: [Item] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let parsed = Self.items(String(part)) else { throw Self.unknown(String(part)) }
            items += parsed
        }
        guard items.count <= Self.most else {
            throw ValidationError("at most \(Self.most) devices")
        }
        self.items = items
    }

    private static func unknown(_ part: String) -> ValidationError {
        if CardRates.known.contains(where: { $0.name == part.lowercased() }) {
            return ValidationError(
                "a card's name goes with --card and its memory here, as in --devices 22.15GiB --card \(part.lowercased())"
            )
        }
        return ValidationError(
            "'\(part)' is not cpu, cuda:N, 22.15GiB, 4x22.15GiB or cpu:64GiB"
        )
    }

    private static func items(_ text: String) -> [Item]? {
        if let device = DeviceName(argument: text) { return [.device(device)] }
        let processor = "cpu:"
        if text.hasPrefix(processor) {
            return ByteCount(argument: String(text.dropFirst(processor.count))).map {
                [.processor(text, $0)]
            }
        }
        let parts = text.split(separator: "x", omittingEmptySubsequences: false).map(String.init)
        // A number without a unit is bytes, and no card has so few.
        guard let last = parts.last, let size = ByteCount(argument: last), size.bytes >= 1 << 20
        else { return nil }
        switch parts.count {
        case 1: return [.card(last, size)]
        case 2:
            guard let count = Int(parts[0]), (1...most).contains(count) else { return nil }
            return Array(repeating: .card(last, size), count: count)
        default: return nil
        }
    }

    /// Whether there is any card among them.
    public var haveCards: Bool {
        items.contains {
            switch $0 {
            case .device(.cpu), .processor: false
            case .device(.cuda), .card: true
            }
        }
    }

    /// The places; cards of a size are as fast as `card`, those of this machine as they are. Throws what opening
    /// a card of this machine throws.
    public func places(card: CardRates) throws -> [PlanPlace] {
        try items.map { item in
            switch item {
            case .card(let name, let size):
                PlanPlace(
                    name: name, limit: size.bytes, overhead: CardOverhead(), rates: card)
            case .processor(let name, let size):
                PlanPlace(name: name, limit: size.bytes, overhead: nil, rates: nil)
            case .device(.cpu):
                try PlanPlace(of: CPUDevice(), limit: Self.hostBytes)
            case .device(.cuda(let ordinal)):
                try PlanPlace(of: CUDADevice(ordinal: ordinal))
            }
        }
    }

    /// Bytes of this machine's memory, or of the container's where that has fewer.
    fileprivate static var hostBytes: Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let group = try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
        let most = group.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        return min(machine, most ?? machine)
    }
}

extension PlanPlace {
    /// An opened device, with the limit that it was given and no more than a card has, less what is left to others.
    public init(of device: any Device, limit: Int? = nil, leaving spared: Int = 0) {
        let card = device as? CUDADevice
        let available = card?.availableBytes.map { max(0, $0 - spared) }
        self.init(
            name: device.name, limit: [limit, available].compactMap(\.self).min(),
            overhead: card?.overhead,
            rates: card.flatMap { CardRates.card(called: $0.cardName) })
        abilities = card?.abilities
        hostMemory = card == nil ? nil : PlannedDevices.hostBytes
        if let processor = device as? CPUDevice {
            self.processor = ProcessorAbilities(
                threads: processor.threads,
                multipliesBFloat16: CPUDevice.isSupported(.bfloat16),
                multipliesInt8: CPUDevice.isSupported(.int8))
        }
    }
}
