// swift-tools-version: 6.2

// The page of the architecture: libraries by noun from the bottom up, thin tools on top.
// A target may use only what stands above it in its section list; `make check` verifies it.

import PackageDescription

/// Settings of every Swift target: nothing compiles with a warning.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A library room in `Sources/<name>`.
func room(
    _ name: String, uses rooms: [Target.Dependency] = [], exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: rooms, exclude: exclude, resources: resources,
        swiftSettings: strict)
}

/// A command-line tool in `Sources/<name>`: parse, open artifacts, loop, commit.
func tool(_ name: String, uses rooms: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: rooms + ["ToolSupport", argumentParser],
        swiftSettings: strict)
}

/// The tests of one room in `Tests/<room>Tests`.
func tests(of room: String, uses rooms: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(room)Tests", dependencies: [.init(stringLiteral: room), "TestSupport"] + rooms,
        swiftSettings: strict)
}

/// CUDA kernels of `Sources/ComputeCUDA/Kernels`, their text made part of the program.
func kernels(_ files: String...) -> [Resource] {
    files.map { .embedInCode("Kernels/\($0)") }
}

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "avatar-pipeline",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // Files between stages, and published weights
        room("Tensors"),
        room("Artifacts", uses: ["Tensors", crypto], exclude: ["FORMATS.md"]),
        room("Checkpoints", uses: ["Tensors", crypto]),

        // Files people have
        .systemLibrary(
            name: "CLibAV",
            providers: [
                .apt([
                    "libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswscale-dev",
                    "libswresample-dev",
                ])
            ]),
        room("RawVideo", uses: ["Tensors"]),
        room("Media", uses: ["RawVideo", "CLibAV", "Tensors"]),

        // Computing: the waist, what is above and below it
        room("Compute", uses: ["Tensors"]),
        .target(name: "COneDNN"),
        .target(name: "CKernels"),
        room("ComputeCPU", uses: ["Compute", "Tensors", "COneDNN", "CKernels"]),
        .target(name: "CNVIDIA"),
        room(
            "ComputeCUDA", uses: ["Compute", "Tensors", "CNVIDIA", crypto],
            exclude: ["KERNELS.md"],
            resources: kernels(
                "Common.cuh", "Numbers.cuh", "WarpGroups.cuh", "AttendShares.cuh",
                "AttendKinds.cuh", "Activate.cu",
                "Add.cu", "Affine.cu", "Attend.cu", "ChannelNorm.cu",
                "Convert.cu", "ConvolutionEpilogue.cu", "Copy.cu", "Gather.cu", "LayerNorm.cu",
                "Multiply.cu", "Pause.cu", "Permute.cu", "Quantize.cu", "QuantizeByOne.cu",
                "QuantizePixels.cu", "RMSNorm.cu", "Rescale.cu", "Rotate.cu", "Softmax.cu",
                "TileValues.cu", "Upsample.cu", "Widen.cu")),
        room("Layers", uses: ["Compute", "Tensors"]),

        // Models, which know neither files between stages, nor backends, nor one another
        room(
            "TextEncoder", uses: ["Layers", "Compute", "Tensors"],
            exclude: ["MODEL.md", "Encoder/MODEL.md"]),
        room(
            "AudioEncoder", uses: ["Layers", "Compute", "Checkpoints", "Tensors"],
            exclude: ["MODEL.md"]),
        room(
            "Denoiser", uses: ["Layers", "Compute", "Checkpoints", "Tensors"],
            exclude: ["MODEL.md"]),
        room("VideoVAE", uses: ["Compute", "Layers", "Tensors"], exclude: ["MODEL.md"]),

        // What operations and models must compute, on any device
        room(
            "Conformance",
            uses: [
                "TextEncoder", "AudioEncoder", "VideoVAE", "Denoiser", "Layers", "Compute",
                "Checkpoints", "Tensors",
            ]),

        // What fits on a device, before anything is loaded
        room(
            "Planning", uses: ["Denoiser", "Layers", "Compute", "Checkpoints", "Tensors"],
            exclude: ["REPORT.md"]),

        // Stages: from artifacts through a model to artifacts
        room(
            "Stages",
            uses: [
                "Artifacts", "Planning", "TextEncoder", "AudioEncoder", "VideoVAE", "Denoiser",
                "Layers", "Compute", "Checkpoints", "Tensors",
            ]),

        // Models at their published size, with weights made up, to be timed
        room(
            "StageBenchmarks",
            uses: [
                "Artifacts", "Planning", "TextEncoder", "AudioEncoder", "VideoVAE", "Denoiser",
                "Layers",
                "Compute", "Tensors",
            ], exclude: ["REPORT.md"]),

        // What lies between two stages, for people
        room(
            "Inspection", uses: ["Artifacts", "Checkpoints", "Media", "Tensors"],
            exclude: ["REPORT.md"]),

        // Tools
        room(
            "ToolSupport",
            uses: [
                "Stages", "Planning", "Denoiser", "Compute", "ComputeCPU", "ComputeCUDA", "Tensors",
                argumentParser, logging,
            ]),
        tool("encode-text", uses: ["Stages", "Compute", "Tensors"]),
        tool("encode-audio", uses: ["Stages", "AudioEncoder", "Artifacts", "Media", "Tensors"]),
        tool("encode-vae", uses: ["Stages", "Artifacts", "Media", "Tensors"]),
        tool("denoise-latents", uses: ["Stages", "Denoiser", "Checkpoints", "Compute", "Tensors"]),
        tool("decode-vae", uses: ["Stages", "RawVideo", "Compute", "Tensors"]),
        tool("prepare-weights", uses: ["Stages", "Checkpoints", "Tensors"]),
        tool("plan-run", uses: ["Stages", "Planning", "Denoiser", "Checkpoints", "Compute"]),
        tool("check-device", uses: ["Conformance", "Compute", "Tensors"]),
        tool(
            "bench-stages", uses: ["StageBenchmarks", "Planning", "Denoiser", "Compute", "Tensors"]),
        tool("mux-video", uses: ["Artifacts", "Media", "Tensors"]),
        tool("inspect-tensors", uses: ["Inspection", "Media"]),

        // Benchmarks
        .target(
            name: "BenchmarkSupport", dependencies: ["Layers", "Compute", "Tensors"],
            path: "Benchmarks/Support", swiftSettings: strict),
        .executableTarget(
            name: "bench-operations",
            dependencies: ["BenchmarkSupport", "Compute", "ComputeCPU", "Conformance", "Tensors"],
            path: "Benchmarks/Operations", exclude: ["torch_operations.py"], swiftSettings: strict),
        .executableTarget(
            name: "bench-kernels", dependencies: ["Compute", "ComputeCUDA", "Tensors"],
            path: "Benchmarks/Kernels", swiftSettings: strict),
        .executableTarget(
            name: "bench-precision",
            dependencies: [
                "StageBenchmarks", "Denoiser", "Layers", "Compute", "ComputeCUDA", "TestSupport",
                "Tensors",
            ],
            path: "Benchmarks/Precision", swiftSettings: strict),
        .executableTarget(
            name: "bench-files", dependencies: ["Tensors"], path: "Benchmarks/Files",
            swiftSettings: strict),
        .executableTarget(
            name: "bench-lora", dependencies: ["Checkpoints", "Tensors"],
            path: "Benchmarks/LoRA", swiftSettings: strict),
        .executableTarget(
            name: "bench-denoiser",
            dependencies: [
                "BenchmarkSupport", "Denoiser", "Layers", "Compute", "ComputeCPU", "Tensors",
            ],
            path: "Benchmarks/Denoiser", exclude: ["torch_denoiser.py"], swiftSettings: strict),
        .executableTarget(
            name: "bench-vae",
            dependencies: ["BenchmarkSupport", "VideoVAE", "Compute", "ComputeCPU", "Tensors"],
            path: "Benchmarks/VideoVAE", exclude: ["torch_vae.py"], swiftSettings: strict),

        // Tests
        .target(
            name: "TestSupport", dependencies: ["Compute", "Checkpoints", "Tensors"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .executableTarget(
            name: "ProjectCheck", path: "Tests/ProjectCheck", swiftSettings: strict),
        tests(of: "Tensors"),
        .target(
            name: "ReaderFuzzing", dependencies: ["Checkpoints", "Tensors", "TestSupport"],
            path: "Tests/ReaderFuzzing", swiftSettings: strict),
        .executableTarget(
            name: "fuzz-readers", dependencies: ["ReaderFuzzing", "TestSupport"],
            path: "Tests/ReaderFuzzer", swiftSettings: strict),
        .target(
            name: "StreamProbe", dependencies: ["Artifacts", "Tensors"],
            path: "Tests/StreamProbe", swiftSettings: strict),
        .executableTarget(
            name: "StreamWriterProbe", dependencies: ["Artifacts", "StreamProbe"],
            path: "Tests/StreamWriterProbe", swiftSettings: strict),
        tests(of: "Artifacts", uses: ["Tensors", "StreamProbe", "StreamWriterProbe"]),
        tests(
            of: "TextEncoder",
            uses: ["Layers", "Compute", "ComputeCPU", "Checkpoints", "Tensors"]),
        tests(
            of: "AudioEncoder",
            uses: ["Layers", "Compute", "ComputeCPU", "Checkpoints", "Tensors"]),
        tests(
            of: "Denoiser",
            uses: ["Layers", "Compute", "ComputeCPU", "Conformance", "Checkpoints", "Tensors"]),
        tests(
            of: "VideoVAE",
            uses: ["Layers", "Compute", "ComputeCPU", "Conformance", "Checkpoints", "Tensors"]),
        tests(of: "Checkpoints", uses: ["Tensors", "ReaderFuzzing", crypto]),
        tests(of: "Compute", uses: ["Tensors"]),
        tests(of: "Conformance", uses: ["Compute", "ComputeCPU", "Tensors"]),
        tests(of: "ComputeCPU", uses: ["Compute", "Conformance", "Tensors"]),
        tests(of: "ComputeCUDA", uses: ["Compute", "Tensors"]),
        tests(
            of: "Planning",
            uses: ["Denoiser", "Layers", "Compute", "ComputeCPU", "Checkpoints", "Tensors"]),
        tests(of: "StageBenchmarks", uses: ["Checkpoints", "Compute", "ComputeCPU", "Tensors"]),
        tests(of: "Media", uses: ["Tensors"]),
        tests(
            of: "Inspection",
            uses: ["Artifacts", "Checkpoints", "Media", "StreamProbe", "Tensors"]),
        .executableTarget(
            name: "ToolProbe", dependencies: ["ToolSupport", "Tensors", argumentParser],
            path: "Tests/ToolProbe", swiftSettings: strict),
        tests(
            of: "Stages",
            uses: [
                "Artifacts", "AudioEncoder", "Compute", "ComputeCPU", "Denoiser", "Media",
                "Tensors",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// The tests that run the built tools need all of them: every executable of `Sources`.
package.targets.append(
    .testTarget(
        name: "ToolsTests",
        dependencies: ["Artifacts", "Media", "StreamProbe", "Tensors", "TestSupport", "ToolProbe"]
            + package.targets.filter { $0.type == .executable && $0.path == nil }
            .map { .target(name: $0.name) },
        swiftSettings: strict))
