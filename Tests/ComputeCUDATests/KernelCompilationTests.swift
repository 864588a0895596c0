import Compute
import ComputeCUDA
import Foundation
import Tensors
import Testing

/// NVIDIA's compiler, if it is here.
private let nvrtc = try? NVRTC()

/// A compiler that is here and does not open would leave the kernels unseen.
@Suite struct CompilerTests {
    /// Where it was fetched to, or was said to be.
    private static let folders: [String] = {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardized
        let named = ProcessInfo.processInfo.environment["CUDA_LIBRARY_PATH"] ?? ""
        return [root.appending(path: ".build/nvrtc").path]
            + named.split(separator: ":").map(String.init)
    }()

    private static let isThere = folders.contains { folder in
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.contains { $0.hasPrefix("libnvrtc.so") }
    }

    @Test(.enabled(if: isThere, "NVIDIA's compiler is not here")) func opens() throws {
        _ = try NVRTC()
    }
}

/// Every kernel compiles for every architecture without a remark, in particular about local memory. Needs no card but NVIDIA's
/// compiler, which `make test` fetches.
@Suite(.enabled(if: nvrtc != nil, "NVIDIA's compiler is not here"))
struct KernelCompilationTests {
    /// A100, consumer Ampere, Ada, Hopper, Blackwell and consumer Blackwell.
    private static let architectures = [80, 86, 89, 90, 100, 120]

    /// Registers that do not fit, and arrays that are not indexed by constants, go to memory.
    private static let strictness = [
        "--ptxas-options=--warn-on-spills", "--ptxas-options=--warn-on-local-memory-usage",
    ]

    @Test(arguments: architectures, KernelSources.names)
    func compiles(architecture: Int, file: String) throws {
        let compiler = try #require(nvrtc)
        let (image, log) = try compiler.compile(
            KernelSources.text(of: file), name: "\(file).cu",
            options: KernelSources.options(Self.card(architecture)) + Self.strictness)
        #expect(image.starts(with: "\u{7F}ELF".utf8))
        #expect(log == "")
    }

    private static func card(_ architecture: Int) throws -> ArchitectureChoice {
        try ArchitectureChoice(own: architecture, oldest: 80, asked: nil)
    }

    /// A card that is newer than the compiler gets what its driver can compile.
    @Test func compilesForACardThatItDoesNotKnow() throws {
        let compiler = try #require(nvrtc)
        let known = try compiler.architectures()
        #expect(known == known.sorted() && Set(Self.architectures).isSubset(of: known))
        let card = try ArchitectureChoice(own: 999, oldest: 80, asked: nil)
        let (image, _) = try compiler.compile(
            KernelSources.text(of: "Add"), name: "Add.cu",
            options: KernelSources.options(card.known(among: known)))
        let newest = try #require(known.last)
        #expect(String(decoding: image, as: UTF8.self).contains(".target sm_\(newest)"))
    }

    /// What a card that stands in for an older one gets its driver to compile.
    @Test func compilesForACardThatStandsIn() throws {
        let compiler = try #require(nvrtc)
        let choice = try ArchitectureChoice(own: 90, oldest: 80, asked: "sm_86")
        let (image, log) = try compiler.compile(
            KernelSources.text(of: "Quantize"), name: "Quantize.cu",
            options: KernelSources.options(choice))
        let text = String(decoding: image, as: UTF8.self)
        #expect(text.contains(".target sm_86") && text.contains(".entry quantize"))
        #expect(image.last == 0 && log == "")
    }

    /// What the kernel of attention and the code that starts it both count with.
    @Test func attentionHasTheSizesThatAreCounted() {
        let source = KernelSources.text(of: "Attend")
        for type in [DataType.bfloat16, .float8E4M3] {
            let (keys, stages) = (AttentionShares.keys(of: type), CUDADevice.stages(of: type))
            #expect(source.contains("keyRows = \(keys), stages = \(stages);"))
        }
        #expect(source.contains("queryRows = \(AttentionShares.queryRows);"))
        #expect(source.contains("partFloats = queryRows * \(AttentionShares.head + 2);"))
        for kernel in [source, KernelSources.text(of: "TileValues")] {
            #expect(kernel.contains("tileRows = \(Tensor.tileRows), "))
        }
    }

    /// The test above would see what it is for.
    @Test func remarksLocalMemory() throws {
        let compiler = try #require(nvrtc)
        let source = """
            extern "C" __global__ void spill(float* x, int n) {
                float v[64];
                for (int i = 0; i < 64; i++) v[i * n & 63] = x[i];
                x[0] = v[n & 63];
            }
            """
        let (_, log) = try compiler.compile(
            source, name: "spill.cu",
            options: KernelSources.options(Self.card(90)) + Self.strictness)
        #expect(log.contains("Local memory used for function 'spill'"))
    }
}
