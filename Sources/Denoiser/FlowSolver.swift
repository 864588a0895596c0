import Foundation

/// Takes one block's latents from step to step. Multistep solvers remember their predictions, so
/// every block has a solver of its own.
public struct FlowSolver {
    /// The levels.
    public let schedule: FlowSchedule
    /// Predictions of the clean latents at earlier steps, the latest last.
    private var predictions: [[Float]] = []
    /// The latents at the latest step, and the order with which they were left.
    private var latest: (sample: [Float], order: Int)?

    /// A solver at the start of a schedule.
    public init(_ schedule: FlowSchedule) {
        self.schedule = schedule
    }

    /// The latents behind step `index`, from those in front of it and the model's velocity there.
    ///
    /// UniPC and DPM++ must be called for every index from 0 on.
    public mutating func step(
        _ index: Int, sample: [Float], velocity: [Float]
    ) -> [Float] {
        precondition(sample.count == velocity.count)
        switch schedule.solver {
        case .euler:
            let change = schedule.sigmas[index + 1] - schedule.sigmas[index]
            return [Float](unsafeUninitializedCapacity: sample.count) { next, filled in
                for place in sample.indices {
                    next[place] = sample[place] + change * velocity[place]
                }
                filled = sample.count
            }
        case .unipc: return unipcStep(index, sample: sample, velocity: velocity)
        case .dpmpp: return dpmStep(index, sample: sample, velocity: velocity)
        }
    }
}

// MARK: - Levels

extension FlowSolver {
    private static let maximumOrder = 2

    /// The noise level in front of a step.
    private func sigma(_ index: Int) -> Double { Double(schedule.sigmas[index]) }

    /// The share of the clean latents.
    private func alpha(_ index: Int) -> Double { 1 - sigma(index) }

    /// Half the logarithm of the signal-to-noise ratio.
    private func lambda(_ index: Int) -> Double { log(alpha(index)) - log(sigma(index)) }

    /// The clean latents that a velocity predicts.
    private func prediction(_ index: Int, sample: [Float], velocity: [Float]) -> [Float] {
        let level = schedule.sigmas[index]
        return zip(sample, velocity).map { $0 - level * $1 }
    }

    /// First order in front, for lack of memory, and last, where the target is clean.
    private func order(_ index: Int) -> Int {
        min(Self.maximumOrder, index + 1, schedule.steps - index)
    }

    private mutating func remember(_ prediction: [Float]) {
        predictions.append(prediction)
        if predictions.count > Self.maximumOrder { predictions.removeFirst() }
    }
}

// MARK: - DPM++

extension FlowSolver {
    /// The midpoint form for predictions of clean data: algorithm 2 of arXiv:2211.01095.
    private mutating func dpmStep(
        _ index: Int, sample: [Float], velocity: [Float]
    ) -> [Float] {
        remember(prediction(index, sample: sample, velocity: velocity))
        let h = lambda(index + 1) - lambda(index)
        let keep = Float(sigma(index + 1) / sigma(index))
        let push = Float(-alpha(index + 1) * expm1(-h))
        let newest = predictions[predictions.count - 1]
        var next = zip(sample, newest).map { keep * $0 + push * $1 }
        if order(index) == 2 {
            let ratio = (lambda(index) - lambda(index - 1)) / h
            let share = Float(0.5 / ratio) * push
            for (place, (new, old)) in zip(newest, predictions[0]).enumerated() {
                next[place] += share * (new - old)
            }
        }
        return next
    }
}

// MARK: - UniPC

extension FlowSolver {
    /// UniP with B(h) = e^h - 1 behind UniC, for predictions of clean data: algorithms 5 to 8 of
    /// arXiv:2302.04867.
    private mutating func unipcStep(
        _ index: Int, sample: [Float], velocity: [Float]
    ) -> [Float] {
        let newest = prediction(index, sample: sample, velocity: velocity)
        var corrected = sample
        if let latest {
            corrected = unipcMove(
                from: index - 1, sample: latest.sample, order: latest.order, correction: newest)
        }
        remember(newest)
        let order = order(index)
        latest = (corrected, order)
        return unipcMove(from: index, sample: corrected, order: order, correction: nil)
    }

    /// The latents behind step `index`; with the prediction made there, their correction.
    private func unipcMove(
        from index: Int, sample: [Float], order: Int, correction: [Float]?
    ) -> [Float] {
        let h = lambda(index + 1) - lambda(index)
        let base = predictions[predictions.count - 1]
        let phi = expm1(-h)
        let keep = Float(sigma(index + 1) / sigma(index))
        let push = Float(-alpha(index + 1) * phi)
        var next = zip(sample, base).map { keep * $0 + push * $1 }
        let ratio = order == 2 ? (lambda(index - 1) - lambda(index)) / h : 1
        let weights = Self.unipcWeights(
            h: h, ratio: ratio, order: order, corrects: correction != nil)
        if order == 2 {
            let share = push * Float(weights.older / ratio)
            for (place, (old, new)) in zip(predictions[predictions.count - 2], base).enumerated() {
                next[place] += share * (old - new)
            }
        }
        if let correction {
            let share = push * Float(weights.newer)
            for (place, (later, new)) in zip(correction, base).enumerated() {
                next[place] += share * (later - new)
            }
        }
        return next
    }

    /// The weights of the older difference and of the correction: the solution of the 2 x 2 system
    /// R rho = b with the rows (1, 1) and (ratio, 1), or one half where a single weight is left.
    private static func unipcWeights(
        h: Double, ratio: Double, order: Int, corrects: Bool
    ) -> (older: Double, newer: Double) {
        guard order == 2 else { return (0, 0.5) }
        guard corrects else { return (0.5, 0) }
        let phi1 = expm1(-h)
        let phi2 = phi1 / -h - 1
        let phi3 = phi2 / -h - 0.5
        let (b1, b2) = (phi2 / phi1, 2 * phi3 / phi1)
        let older = (b2 - b1) / (ratio - 1)
        return (older, b1 - older)
    }
}
