/// Which room may use which: arrows point down only.
enum Arrows {
    /// Models know the waist and nothing of files between stages, media, backends or one another.
    private static let models = ["TextEncoder", "AudioEncoder", "VideoVAE", "Denoiser"]
    private static let backends = ["ComputeCPU", "ComputeCUDA"]

    /// What each library may use; rooms not listed here are tools, tests or C.
    private static let allowed: [String: Set<String>] = {
        let model: Set<String> = ["Layers", "Compute", "Checkpoints", "Tensors"]
        var rules: [String: Set<String>] = [
            "Tensors": [],
            "Artifacts": ["Tensors"],
            "Checkpoints": ["Tensors"],
            "Compute": ["Tensors"],
            "ComputeCPU": ["Compute", "Tensors", "COneDNN", "CKernels"],
            "ComputeCUDA": ["Compute", "Tensors", "CNVIDIA"],
            "Layers": ["Compute", "Tensors"],
            "RawVideo": ["Tensors"],
            "Media": ["RawVideo", "Tensors", "CLibAV"],
            "Inspection": ["Artifacts", "Checkpoints", "Media", "Tensors"],
            "Conformance": Set(models).union(model),
            "Planning": model.union(["Denoiser"]),
            "StageBenchmarks": Set(models).union(model).union(["Artifacts", "Planning"]),
            "Stages": Set(models).union(model).union(["Artifacts", "Planning"]),
            "ToolSupport": Set(backends).union(model).union([
                "Artifacts", "Denoiser", "Planning", "Stages",
            ]),
        ]
        for name in models { rules[name] = model }
        return rules
    }()

    /// Modules of the toolchain and the system, which every target may import.
    private static let system: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization",
        "Testing", "PackageDescription",
    ]

    /// Declared arrows that point up or aside.
    static func problems(of target: Package.Target) -> [String] {
        if target.path.hasPrefix("Tests/") || target.path.hasPrefix("Benchmarks/") { return [] }
        if target.type == "executable" {
            return target.rooms.filter { backends.contains($0) }.map {
                "\(target.path): a tool uses the backend \($0); only ToolSupport may"
            }
        }
        guard let allowed = allowed[target.name] else {
            return target.rooms.isEmpty
                ? [] : ["\(target.path): Arrows.swift has no rule for this room"]
        }
        return target.rooms.filter { !allowed.contains($0) }.map {
            "\(target.path): \(target.name) may not use \($0)"
        }
    }

    /// Imports that the target does not declare; they compile if something else brings them along.
    static func problems(
        in file: SourceFile, of target: Package.Target, package: Package
    ) -> [String] {
        guard file.path.hasSuffix(".swift") else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard let module = importedModule(line) else { return nil }
            if system.contains(module) || target.declared.contains(module) { return nil }
            return
                "\(file.path):\(index + 1): imports \(module), which \(target.name) does not declare"
        }
    }

    /// The module of a line such as `public import struct Foundation.Data`.
    private static func importedModule(_ line: Substring) -> String? {
        let words = line.split(separator: " ")
        guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count,
            words[..<keyword].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains(String($0)) })
        else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let"]
        let name = kinds.contains(words[keyword + 1]) ? words[keyword + 2] : words[keyword + 1]
        return name.split(separator: ".").first.map(String.init)
    }

    private static let accessLevels: Set<String> = ["public", "package", "internal", "private"]
}
