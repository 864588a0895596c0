import Denoiser
import Layers

/// What streamed groups move over the link, and how the copies fit between the layers' work.
package struct LinkSchedule {
    private let groups: MemoryGroups
    private let residency: DenoiserResidency
    private let window: LinkTraffic

    /// The schedule of a run's blocks that are not the first behind a prefill.
    package init(_ request: PlanRequest, groups: MemoryGroups, residency: DenoiserResidency) {
        self.groups = groups
        self.residency = residency
        window = request.model.configuration.windowTraffic(
            on: request.grid, type: request.windowType)
    }

    /// One layer's pass in the order of use.
    private struct Unit {
        let fetchesWeights: Bool
        let fetchesWindow: Bool
        let layer: Int
    }

    /// The passes of one block: step by step, branch by branch, layer by layer.
    private var units: [Unit] {
        (0..<groups.steps).flatMap { step in
            (0..<groups.branches).flatMap { _ in
                (0..<groups.layers).map { layer in
                    // As many as there are slots stay in them.
                    Unit(
                        fetchesWeights: residency.streamedLayers.count > residency.weightSlots
                            && residency.streamedLayers.contains(layer),
                        fetchesWindow: !residency.streamedWindows.isEmpty
                            && residency.streamedWindows[step].contains(layer), layer: layer)
                }
            }
        }
    }

    /// Bytes over the link for one block.
    package var bytesOfBlock: LinkTraffic {
        units.reduce(into: LinkTraffic()) { sum, unit in
            if unit.fetchesWeights { sum.fetched += groups.layerBundles[unit.layer] }
            if unit.fetchesWindow {
                sum.fetched += window.fetched
                sum.stored += window.stored
            }
        }
    }

    /// Seconds of one block among many, if a step's passes take `compute` seconds of the card's work and the link moves `rate` bytes a
    /// second each way.
    ///
    /// Copies run in the order of use. A fetch waits for a slot, which is free when the layer that used it is done and what it
    /// wrote is stored; a layer waits for its fetches and for the layer before it.
    package func secondsOfBlock(compute: Double, rate: Double) -> Double {
        let unitSeconds = compute / Double(groups.branches * groups.layers)
        var link = LinkState(rate: rate)
        var weights = SlotState(count: residency.weightSlots)
        var windows = SlotState(count: residency.windowSlots)
        var now = 0.0
        func block() {
            for unit in units {
                var ready = now
                if unit.fetchesWeights {
                    let free = weights.next()
                    ready = max(
                        ready, link.fetch(groups.layerBundles[unit.layer], after: free))
                }
                if unit.fetchesWindow {
                    ready = max(ready, link.fetch(window.fetched, after: windows.next()))
                }
                now = ready + unitSeconds
                if unit.fetchesWeights { weights.release(at: now) }
                if unit.fetchesWindow { windows.release(at: link.store(window.stored, after: now)) }
            }
        }
        block()
        let first = now
        block()
        return now - first
    }
}

/// When the link is free in each direction.
private struct LinkState {
    let rate: Double
    private var fetching = 0.0
    private var storing = 0.0

    init(rate: Double) { self.rate = rate }

    /// When a fetch that may begin at a time is there.
    mutating func fetch(_ bytes: Int, after time: Double) -> Double {
        fetching = max(fetching, time) + Double(bytes) / rate
        return fetching
    }

    /// When a store that may begin at a time is done.
    mutating func store(_ bytes: Int, after time: Double) -> Double {
        storing = max(storing, time) + Double(bytes) / rate
        return storing
    }
}

/// When each of a few slots is free, in turn.
private struct SlotState {
    private var free: [Double]
    private var turn = 0

    init(count: Int) { free = Array(repeating: 0, count: count) }

    /// When the slot whose turn it is becomes free.
    mutating func next() -> Double { free[turn] }

    /// Notes when the slot that was used becomes free, and passes the turn on.
    mutating func release(at time: Double) {
        free[turn] = time
        turn = (turn + 1) % free.count
    }
}
