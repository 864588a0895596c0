import Denoiser

/// The ways to make a run fit, from everything on the device to everything streamed: each needs no more than the one
/// before it, and moves more over the link.
package struct ResidencyChoice {
    private let groups: MemoryGroups

    package init(_ groups: MemoryGroups) { self.groups = groups }

    /// Whether windows go before weights. A window is used once for each block, weights once for each pass: more often, unless there
    /// is one pass alone. Then weights go, which need not come back.
    private var windowsFirst: Bool { groups.steps * groups.branches > 1 }

    private var windowCount: Int { groups.steps * groups.layers }

    /// The first that fits into so many bytes; nil if none does.
    package func fitting(_ bytes: Int) -> DenoiserResidency? {
        if groups.bytes(.resident) <= bytes { return .resident }
        if let count = (1...firstCount).first(where: { groups.bytes(only($0)) <= bytes }) {
            return only(count)
        }
        let second = windowsFirst ? groups.layers : windowCount
        return (1...second).first { groups.bytes(both($0)) <= bytes }.map(both)
    }

    /// The fewest bytes with which a run is possible.
    package var minimum: Int {
        let second = windowsFirst ? groups.layers : windowCount
        return min(
            groups.bytes(.resident), groups.bytes(only(firstCount)), groups.bytes(both(second)))
    }

    /// All of what goes first.
    private var firstCount: Int { windowsFirst ? windowCount : groups.layers }

    /// So many of what goes first, spread over the order of use.
    private func only(_ count: Int) -> DenoiserResidency {
        windowsFirst ? residency(layers: 0, windows: count) : residency(layers: count, windows: 0)
    }

    /// All of what goes first, unless its slots are as large as that, and so many of the rest.
    private func both(_ count: Int) -> DenoiserResidency {
        let helps = groups.bytes(only(firstCount)) < groups.bytes(.resident)
        let first = helps ? firstCount : 0
        return windowsFirst
            ? residency(layers: count, windows: first) : residency(layers: first, windows: count)
    }

    private func residency(layers: Int, windows: Int) -> DenoiserResidency {
        var streamed = [Set<Int>](repeating: [], count: windows == 0 ? 0 : groups.steps)
        for index in Self.spread(windows, over: windowCount) {
            streamed[index / groups.layers].insert(index % groups.layers)
        }
        return DenoiserResidency(
            streamedLayers: Set(Self.spread(layers, over: groups.layers)),
            streamedWindows: streamed)
    }

    /// `count` of `total` places in a row, as even as can be.
    package static func spread(_ count: Int, over total: Int) -> [Int] {
        (0..<count).map { (2 * $0 + 1) * total / (2 * count) }
    }
}
