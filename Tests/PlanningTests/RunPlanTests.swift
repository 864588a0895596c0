import Compute
import Denoiser
import Foundation
import Planning
import TestSupport
import Testing

@Suite struct RunPlanTests {
    private func card(_ limit: Int? = nil, _ rates: CardRates? = .h200) -> PlanPlace {
        PlanPlace(name: "card", limit: limit, overhead: CardOverhead(), rates: rates)
    }

    @Test func dividesSteps() {
        #expect(RunPlan.divide(4, over: 4) == [0..<1, 1..<2, 2..<3, 3..<4])
        #expect(RunPlan.divide(4, over: 2) == [0..<2, 2..<4])
        #expect(RunPlan.divide(5, over: 3) == [0..<2, 2..<4, 4..<5])
        #expect(RunPlan.divide(1, over: 3) == [0..<1])
    }

    @Test func leavesPlacesIdle() throws {
        let plan = try RunPlan(SmallRun(steps: 2).request, at: [card(), card(), card()])
        #expect(plan.parts.map(\.steps) == [0..<1, 1..<2] && plan.idle == ["card"])
        #expect(plan.text.contains("without steps: card"))
    }

    /// What is to be pinned is compared with the machine's memory, of each card and of all.
    @Test func warnsOfHostMemory() throws {
        let request = PlanRequest(
            model: .published, grid: LatentGrid(height: 32, width: 48, clipFrames: 12), steps: 2,
            precision: .bfloat16, attention: .activations)
        func plan(cards: Int, memory: Int?) throws -> RunPlan {
            var place = card(20 << 30)
            place.hostMemory = memory
            return try RunPlan(request, at: Array(repeating: place, count: cards))
        }
        for cards in 1...2 {
            let pinned = try plan(cards: cards, memory: nil).parts.map(\.plan.hostBytes)
            let all = pinned.reduce(0, +)
            #expect(pinned.allSatisfy { $0 > 0 })
            #expect(try !plan(cards: cards, memory: all).text.contains("host memory lacks"))
            let text = try plan(cards: cards, memory: all - 1).text
            #expect(
                text.contains(
                    (cards == 1 ? "\ncard: " : "\n") + "host memory lacks 0.01 GiB of"))
        }
    }

    /// The slowest place sets the pace.
    @Test func tellsFramesPerSecond() throws {
        let plan = try RunPlan(SmallRun(steps: 3).request, at: [card(), card()])
        let block = try #require(plan.parts[0].plan.secondsOfBlock)
        #expect(plan.framesPerSecond == 12 / block)
        let untimed = try RunPlan(SmallRun(steps: 3).request, at: [card(), card(nil, nil)])
        #expect(untimed.framesPerSecond == nil)
    }

    /// A name for everything that the JSON has is in REPORT.md, and the JSON can be read again.
    @Test func describesItsJSON() throws {
        var run = SmallRun(precision: .float8, attention: .float8)
        run.request.steps = 2
        let report = PlanReport(
            try RunPlan(run.request, at: [card(1 << 31), card(1 << 31), card()]))
        let json = Data(try report.json().utf8)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        #expect(try decoder.decode(PlanReport.self, from: json) == report)
        let page = try ReportPage.text("Sources/Planning/REPORT.md")
        let names = try ReportPage.names(in: json)
        #expect(names.count > 40)
        for name in names { #expect(page.contains(name), "\(name)") }
    }

    /// The table names what is streamed of both kinds, each in its row.
    @Test func printsATable() throws {
        let run = SmallRun(steps: 4)
        let text = try run.plan().text
        #expect(text.contains(/streamed layers +none\n/))
        #expect(text.contains(/streamed windows +none\n/))
        #expect(text.contains(/steps +1-4\n/))
        #expect(text.split(separator: "\n").allSatisfy { $0.count < 60 })
    }
}

@Suite struct RefusalTests {
    private func place(_ limit: Int, _ rates: CardRates? = .h200) -> PlanPlace {
        PlanPlace(name: "card", limit: limit, overhead: CardOverhead(), rates: rates)
    }

    private func published(_ precision: Precision, _ attention: AttentionType) -> PlanRequest {
        PlanRequest(
            model: .published, grid: LatentGrid(height: 48, width: 88, clipFrames: 12), steps: 4,
            precision: precision, attention: attention)
    }

    private func refusal(_ request: PlanRequest, at place: PlanPlace) throws -> PlanRefusal {
        try #require(throws: PlanRefusal.self) { try MemoryPlan(request, at: place) }
    }

    @Test func namesTheNearestThatFits() throws {
        let least = try MemoryPlan(
            published(.float8, .activations), at: place(1 << 37)
        ).minimumBytes
        let found = try refusal(published(.bfloat16, .activations), at: place(least)).description
        #expect(found.hasSuffix("; --precision fp8 would fit"))
        #expect(found.hasPrefix("cannot denoise 704x384 in 4 steps with bf16 weights"))
        #expect(!found.contains("\n"))
    }

    /// A picture so large that its blocks need more memory than the start of a run.
    private var large: PlanRequest {
        var request = published(.float8, .float8)
        request.grid = LatentGrid(height: 90, width: 160, clipFrames: 12)
        return request
    }

    @Test func namesASmallerPicture() throws {
        let request = large
        let least = try MemoryPlan(request, at: place(1 << 37)).minimumBytes
        let found = try refusal(request, at: place(least - 1)).description
        let size = try #require(found.firstMatch(of: /--size (\d+)x(\d+) would fit/))
        var smaller = request
        smaller.grid = LatentGrid(
            height: Int(size.2)! / 8, width: Int(size.1)! / 8, clipFrames: 12)
        _ = try MemoryPlan(smaller, at: place(least - 1))
    }

    @Test func saysThatNothingFits() throws {
        let found = try refusal(published(.float8, .float8), at: place(1 << 30))
        #expect(found.description.hasSuffix("more than there are"))
    }

    /// Where cuDNN does not attend, the scores of 3168 queries and the text's 512 keys are held, beside what came before.
    @Test func countsScoresWithoutCuDNN() throws {
        func bytes(attends: Bool) throws -> Int {
            var place = place(40 << 30)
            place.abilities = .hopper
            place.abilities?.attendsByLibrary = attends
            let plan = try MemoryPlan(published(.float8, .float8), at: place)
            return plan.groups.bytes(.resident)
        }
        let scores = 40 * 3168 * 512 * (4 + 2)
        let more = try bytes(attends: false) - bytes(attends: true)
        #expect(more > scores / 2 && more <= scores, "\(more) of \(scores)")
    }

    /// Cards without 8-bit floats, told by their rates or by what was asked of them.
    @Test func namesWhatACardLacks() throws {
        let old = place(24 << 30, .named("rtx-3090"))
        let products = try refusal(published(.float8, .activations), at: old).description
        #expect(
            products == "cannot denoise on 'RTX 3090': it offers no products in float8_e4m3"
                + " (--precision)")
        var unknown = place(24 << 30, nil)
        unknown.abilities = CardAbilities(architecture: 86)
        #expect(
            try refusal(published(.float8, .activations), at: unknown).description
                .hasPrefix("cannot denoise on 'card'"))
    }

    /// Bytes are also in the unit in which limits are typed, rounded so that typing them back works.
    @Test func tellsBytesAsTheyAreTyped() throws {
        let request = published(.float8, .float8)
        let found = try refusal(request, at: place(1 << 30)).description
        let typed = try #require(
            found.firstMatch(
                of: /needs at least ([\d.]+) GiB \((\d+) bytes\), [\d.]+ GiB \((\d+) bytes\) more/))
        let (limit, bytes) = (Int(Double(typed.1)! * Double(1 << 30)), Int(typed.2)!)
        #expect(limit >= bytes && limit - bytes < (1 << 30) / 100)
        #expect(Int(typed.3)! == bytes - (1 << 30))
        let plan = try MemoryPlan(request, at: place(limit))
        #expect(plan.text.contains("\(typed.1) GiB\n"))
    }

    /// A tool that takes latents names the tool that makes them smaller.
    @Test func namesTheToolThatMakesPicturesSmaller() throws {
        let request = large
        let least = try MemoryPlan(request, at: place(1 << 37)).minimumBytes
        let refusal = try #require(throws: PlanRefusal.self) {
            try MemoryPlan(request, at: place(least - 1), sizeOption: "encode-vae --size")
        }
        #expect(refusal.description.contains(/; (.* with )?encode-vae --size \d+x\d+ would fit$/))
    }
}

@Suite struct CardRatesTests {
    @Test func findsCardsByName() {
        #expect(CardRates.card(called: "NVIDIA H200")?.name == "h200")
        #expect(CardRates.card(called: "NVIDIA L40S")?.name == "l40s")
        #expect(CardRates.card(called: "NVIDIA L4")?.name == "l4")
        #expect(CardRates.card(called: "NVIDIA GeForce RTX 4090")?.name == "rtx-4090")
        #expect(CardRates.card(called: "NVIDIA H100 80GB HBM3")?.name == "h100")
        #expect(CardRates.card(called: "NVIDIA A100-SXM4-80GB")?.name == "a100")
        for other in [
            "Matrox Mystique", "NVIDIA L40", "NVIDIA RTX A1000", "NVIDIA GH200 480GB",
            "NVIDIA GeForce RTX 4090 Laptop GPU",
        ] { #expect(CardRates.card(called: other) == nil) }
        #expect(CardRates.named("h300") == nil)
        #expect(Set(CardRates.known.map(\.name)).count == CardRates.known.count)
    }
}

@Suite struct LinkScheduleTests {
    /// Streaming of everything at a slow link takes the link's time, at a fast one the card's.
    @Test func isBoundByTheSlower() throws {
        let run = SmallRun(steps: 2)
        let every: Set<Int> = [0, 1, 2, 3]
        let schedule = LinkSchedule(
            run.request, groups: try run.plan().groups,
            residency: DenoiserResidency(
                streamedLayers: every, streamedWindows: [every, every]))
        let bytes = schedule.bytesOfBlock
        let slow = schedule.secondsOfBlock(compute: 1e-9, rate: 1e6)
        #expect(slow >= Double(bytes.fetched) / 1e6 && slow < 1.25 * Double(bytes.fetched) / 1e6)
        let fast = schedule.secondsOfBlock(compute: 1, rate: 1e12)
        #expect(fast >= 2 && fast < 2.001)
    }

    @Test func spreadsEvenly() {
        for (count, total) in [(1, 40), (7, 40), (39, 40), (40, 40), (90, 160)] {
            let places = ResidencyChoice.spread(count, over: total)
            #expect(Set(places).count == count && places.allSatisfy((0..<total).contains))
            let gaps = zip(places, places.dropFirst()).map { $1 - $0 }
            #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1)
        }
    }
}
