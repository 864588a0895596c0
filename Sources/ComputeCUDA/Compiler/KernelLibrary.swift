import CNVIDIA

/// The project's kernels, compiled for the card in hand when they are first used.
final class KernelLibrary {
    private let context: Context
    private let cache: KernelCache
    private let tuning: KernelTuning
    private var modules: [String: Module] = [:]
    private var compiler: NVRTC?

    /// A library of which nothing is compiled yet.
    init(_ context: Context, tuning: KernelTuning, cache: KernelCache = .ofUser) {
        self.context = context
        self.tuning = tuning
        self.cache = cache
    }

    /// The kernel `name`, "File.function" of `Kernels/File.cu`.
    func function(_ name: String, sharedBytes: Int) throws -> CUfunction {
        guard let dot = name.firstIndex(of: ".") else {
            preconditionFailure("a kernel is named by its file and function, not '\(name)'")
        }
        let module = try module(String(name[..<dot]))
        return try module.function(
            String(name[name.index(after: dot)...]), sharedBytes: sharedBytes)
    }

    private func module(_ file: String) throws -> Module {
        if let module = modules[file] { return module }
        let module = try Module(context, image: image(of: file))
        modules[file] = module
        return module
    }

    private func image(of file: String) throws -> [UInt8] {
        let compiler = try compiler ?? NVRTC()
        self.compiler = compiler
        let source = KernelSources.text(of: file)
        let choice = try context.choice.known(among: compiler.architectures())
        let options = KernelSources.options(choice, tuning: tuning)
        let key = KernelCache.key([compiler.version, source] + options)
        if let image = cache.image(of: key) { return image }
        let image = try compiler.compile(source, name: "\(file).cu", options: options).image
        cache.keep(image, as: key)
        return image
    }
}

/// The text of the kernels, part of the program.
package enum KernelSources {
    /// What all files begin with.
    private static let common = [PackageResources.Common_cuh, PackageResources.Numbers_cuh]

    /// What stands between that and single files.
    private static let additions: [String: [[UInt8]]] = [
        "Attend": [
            PackageResources.WarpGroups_cuh, PackageResources.AttendShares_cuh,
            PackageResources.AttendKinds_cuh,
        ]
    ]

    private static let files: [String: [UInt8]] = [
        "Activate": PackageResources.Activate_cu,
        "Add": PackageResources.Add_cu,
        "Affine": PackageResources.Affine_cu,
        "Attend": PackageResources.Attend_cu,
        "ChannelNorm": PackageResources.ChannelNorm_cu,
        "Convert": PackageResources.Convert_cu,
        "ConvolutionEpilogue": PackageResources.ConvolutionEpilogue_cu,
        "Copy": PackageResources.Copy_cu,
        "Gather": PackageResources.Gather_cu,
        "LayerNorm": PackageResources.LayerNorm_cu,
        "Multiply": PackageResources.Multiply_cu,
        "Pause": PackageResources.Pause_cu,
        "Permute": PackageResources.Permute_cu,
        "Quantize": PackageResources.Quantize_cu,
        "QuantizeByOne": PackageResources.QuantizeByOne_cu,
        "QuantizePixels": PackageResources.QuantizePixels_cu,
        "RMSNorm": PackageResources.RMSNorm_cu,
        "Rescale": PackageResources.Rescale_cu,
        "Rotate": PackageResources.Rotate_cu,
        "Softmax": PackageResources.Softmax_cu,
        "TileValues": PackageResources.TileValues_cu,
        "Upsample": PackageResources.Upsample_cu,
        "Widen": PackageResources.Widen_cu,
    ]

    /// The names of all files, in order.
    package static var names: [String] { files.keys.sorted() }

    /// The whole program of a file. Traps if there is none of that name.
    package static func text(of file: String) -> String {
        guard let bytes = files[file] else { preconditionFailure("no kernel file '\(file)'") }
        return (common + additions[file, default: []] + [bytes])
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    }

    /// What the compiler is told for cards of an architecture.
    ///
    /// Where a card stands in for an older one, or is newer than the compiler, that gives text that the driver compiles for the card.
    package static func options(
        _ choice: ArchitectureChoice, tuning: KernelTuning = KernelTuning()
    ) -> [String] {
        [
            "--gpu-architecture=\(choice.name)",
            "--std=c++17", "--fmad=true", "--extra-device-vectorization",
            // Lambdas are host functions otherwise, which compilers before 13.1 refuse.
            "--device-as-default-execution-space",
        ] + tuning.definitions
    }
}
