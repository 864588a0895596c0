import Compute
import ComputeCUDA
import Tensors
import Testing

/// Which algorithm is taken for a kind of problem, and how engines are named.
@Suite struct LibraryChoicesTests {
    @Test func takesAnAlgorithmForItsCardAndVersionOnly() {
        let table = ["90 cuDNN 91400 convolution": "45 k2=7"]
        let choices = LibraryChoices("cuDNN", version: 91400, architecture: 90, table: table)
        #expect(choices["convolution"] == "45 k2=7")
        #expect(choices["attention"] == nil)
        #expect(choices.key("convolution") == table.first?.key)
        let newer = LibraryChoices("cuDNN", version: 91900, architecture: 90, table: table)
        #expect(newer["convolution"] == nil)
        let older = LibraryChoices("cuDNN", version: 91400, architecture: 80, table: table)
        #expect(older["convolution"] == nil)
    }

    @Test func readsTheNamesOfEnginesThatItWrites() {
        let name = EngineName(index: 45, knobs: [14: 3, 2: 7])
        #expect(name.description == "45 k2=7 k14=3")
        #expect(EngineName(name.description) == name)
        #expect(EngineName("7") == EngineName(index: 7, knobs: [:]))
    }

    @Test(arguments: ["", "k2=7", "45 k2", "45 x2=7", "45 k2=seven", "a45 t2 s3"])
    func refusesWhatIsNoEngine(text: String) {
        #expect(EngineName(text) == nil)
    }

    @Test func tellsKindsOfConvolutionsApartByAllButTheirExtents() {
        func problem(_ frames: Int, _ height: Int) -> ConvolutionProblem {
            ConvolutionProblem(
                pictures: [frames, height, 8, 96], kernel: [3, 3, 3], channels: 96, outputs: 96,
                geometry: ConvolutionGeometry(), type: .bfloat16)
        }
        var fused = problem(14, 32)
        #expect(fused.kind == problem(6, 48).kind)
        fused.hasBias = true
        #expect(fused.kind != problem(14, 32).kind)
    }

    @Test func putsFramesIntoChannels() throws {
        let problem = ConvolutionProblem(
            pictures: [14, 32, 48, 96], kernel: [3, 3, 3], channels: 96, outputs: 96,
            geometry: ConvolutionGeometry(), type: .bfloat16)
        let folded = try #require(problem.framesAsChannels)
        #expect(folded.batch == 12)
        #expect(folded.channels == 288)
        #expect(folded.input == [32, 48])
        #expect(folded.kernel == [3, 3])
        #expect(folded.framesAsChannels == nil)
    }
}
