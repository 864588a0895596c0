import Compute
import Denoiser
import Planning
import Tensors
import Testing

/// Plans for the published model, beside numbers computed by hand.
@Suite struct PublishedPlanTests {
    private func request(
        _ precision: Precision = .bfloat16, _ attention: AttentionType = .activations,
        width: Int = 704, height: Int = 384, steps: Int = 4
    ) -> PlanRequest {
        PlanRequest(
            model: .published,
            grid: LatentGrid(height: height / 8, width: width / 8, clipFrames: 12), steps: steps,
            precision: precision, attention: attention)
    }

    private func plan(
        _ request: PlanRequest, gibibytes: Double? = nil, rates: CardRates? = .h200
    ) throws -> MemoryPlan {
        try MemoryPlan(
            request,
            at: PlanPlace(
                name: "card", limit: gibibytes.map { Int($0 * Double(1 << 30)) },
                overhead: CardOverhead(), rates: rates))
    }

    /// 12,672 + 2,640 rows of 5,120 in 40 layers, keys and values: 12.54 GB in bfloat16.
    @Test func windows() throws {
        let wide = try plan(request()).groups
        #expect(wide.windowsOfStep == 15_312 * 5_120 * 2 * 2 * 40)
        let narrow = try plan(request(.float8, .float8)).groups
        #expect(narrow.windowsOfStep == 6_271_795_200)
        #expect(
            try plan(request(width: 384, height: 256)).groups.windowsOfStep == 5_568 * 5_120 * 2 * 2
                * 40)
    }

    /// Six products 5120 x 5120 and two 5120 x 13824 of a layer; 12 + 2.7 rows of biases and norms in float32.
    @Test func weights() throws {
        let matrices = 6 * 5_120 * 5_120 + 2 * 5_120 * 13_824
        let vectors = 4 * (12 * 5_120 + 13_824)
        let wide = try plan(request()).groups
        #expect(wide.layerWeights == Array(repeating: 2 * matrices + vectors, count: 40))
        // In 8 bits, a scale for each row of 7 x 5120 and 13824.
        let narrow = try plan(request(.float8, .float8)).groups
        let scales = 4 * (7 * 5_120 + 13_824)
        #expect(narrow.layerWeights[0] == matrices + vectors + scales)
        // Injectors: their products may be narrow, the 12 layers of modulation [10240, 5120] are of the activations' type.
        let saved = wide.fixedWeights - narrow.fixedWeights
        #expect(saved == 12 * 4 * (5_120 * 5_120 - 4 * 5_120))
        #expect(narrow.fixedWeights > 12 * (4 * 5_120 * 5_120 + 2 * 10_240 * 5_120))
    }

    /// All the published numbers, 16.3 billion: with those of the start, which are counted one group at a time.
    @Test func allWeights() throws {
        let transformer = try ModelSizes.published.transformer()
        let count = transformer.parameters.reduce(0) { $0 + $1.shape.elementCount }
        #expect(abs(Double(count) / 1e9 - 16.3) < 0.05)
        let groups = try plan(request()).groups
        // time_embedding and time_projection in float32, and the last of them in bfloat16 beside it.
        let (first, second, third) = (256 * 5_120, 5_120 * 5_120, 5_120 * 30_720)
        #expect(groups.startWeights == 4 * (first + second + third + 8 * 5_120) + 2 * third)
    }

    @Test func textAndReference() throws {
        let groups = try plan(request()).groups
        #expect(groups.text == 40 * 2 * 512 * 5_120 * 2)
        #expect(groups.referenceKeys == 40 * 1_056 * 5_120 * 2)
        var guided = request()
        guided.branches = 2
        let twice = try plan(guided).groups
        #expect(twice.text == 2 * groups.text && twice.referenceKeys == 2 * groups.referenceKeys)
    }

    /// One of four cards of 22.15 GiB holds its step's window and all weights in 8 bits.
    @Test func oneStepOnACardOf24() throws {
        let plan = try plan(request(.float8, .float8, steps: 1), gibibytes: 22.15)
        #expect(plan.residency == .resident && plan.hostBytes == 0)
    }

    /// All four steps there stream windows alone, evenly, and the link keeps up.
    @Test func fourStepsOnACardOf24() throws {
        let plan = try plan(request(.float8, .float8), gibibytes: 22.15)
        #expect(plan.residency.streamedLayers.isEmpty)
        let counts = plan.residency.streamedWindows.map(\.count)
        #expect(counts.count == 4 && counts.max()! - counts.min()! <= 1)
        let seconds = try #require(plan.seconds)
        #expect(seconds.step < 1.05 * seconds.compute)
    }

    /// Weights in bfloat16 there: all windows and some weights are streamed, at nearly the link's rate.
    @Test func wideWeightsOnACardOf24() throws {
        let plan = try plan(request(), gibibytes: 22.15)
        #expect(plan.residency.streamedWindows.allSatisfy { $0.count == 40 })
        #expect(!plan.residency.streamedLayers.isEmpty)
        let seconds = try #require(plan.seconds)
        #expect(seconds.link == Double(plan.linkBytes.fetched) / 4 / CardRates.h200.link)
        #expect(seconds.step >= seconds.link && seconds.step < 1.1 * seconds.link)
    }

    /// One step has each window and each weight once: weights go first, as they need not come back.
    @Test func oneStepStreamsWeightsFirst() throws {
        let plan = try plan(request(.float8, .float8, steps: 1), gibibytes: 16)
        #expect(plan.residency.streamedWindows.isEmpty && !plan.residency.streamedLayers.isEmpty)
        #expect(plan.linkBytes.stored == 0)
    }

    /// The rates give what the log has for an H200, the newest of each, as near as said here: cards differ by 4 %.
    @Test func timesAnH200() throws {
        func expect(_ seconds: Double, within share: Double, of request: PlanRequest) throws {
            let planned = try #require(plan(request).seconds).step
            #expect(abs(planned / seconds - 1) < share, "\(planned)")
        }
        try expect(0.1865, within: 0.04, of: request())
        try expect(0.1379, within: 0.02, of: request(.float8))
        try expect(0.1185, within: 0.02, of: request(.float8, .float8))
        try expect(0.0613, within: 0.05, of: request(width: 384, height: 256))
        try expect(0.0368, within: 0.1, of: request(.float8, .float8, width: 384, height: 256))
    }

    /// 405 MB of latents and 1.2 GB of frames a minute.
    @Test func disk() throws {
        let place = PlanPlace(name: "card", limit: nil, overhead: CardOverhead(), rates: nil)
        let disk = try RunPlan(request(), at: [place]).disk
        #expect(disk.latents == 125 * 4 * 16 * 3 * 48 * 88 * 4)
        #expect(disk.frames == 1_500 * 704 * 384 * 3)
        #expect(disk.audio == 1_500 * 25 * 1_024 * 4)
    }
}
