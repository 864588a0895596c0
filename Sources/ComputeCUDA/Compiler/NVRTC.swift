import CNVIDIA

/// NVIDIA's compiler of CUDA C++ at run time.
package final class NVRTC: Sendable {
    /// Its version, as in 13.0.
    package let version: String

    private let getErrorString: nvrtcGetErrorString_t
    private let createProgram: nvrtcCreateProgram_t
    private let destroyProgram: nvrtcDestroyProgram_t
    private let compileProgram: nvrtcCompileProgram_t
    private let getArchitectureCount: nvrtcGetNumSupportedArchs_t
    private let getArchitectures: nvrtcGetSupportedArchs_t
    private let getImageSize: nvrtcGetCUBINSize_t
    private let getImage: nvrtcGetCUBIN_t
    private let getAssemblySize: nvrtcGetPTXSize_t
    private let getAssembly: nvrtcGetPTX_t
    private let getLogSize: nvrtcGetProgramLogSize_t
    private let getLog: nvrtcGetProgramLog_t

    /// Opens the library; throws `MissingLibrary` or `MissingSymbol`.
    package init() throws {
        let library = try DynamicLibrary(
            ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], purpose: "CUDA's compiler NVRTC")
        getErrorString = try library.symbol("nvrtcGetErrorString")
        createProgram = try library.symbol("nvrtcCreateProgram")
        destroyProgram = try library.symbol("nvrtcDestroyProgram")
        compileProgram = try library.symbol("nvrtcCompileProgram")
        getArchitectureCount = try library.symbol("nvrtcGetNumSupportedArchs")
        getArchitectures = try library.symbol("nvrtcGetSupportedArchs")
        getImageSize = try library.symbol("nvrtcGetCUBINSize")
        getImage = try library.symbol("nvrtcGetCUBIN")
        getAssemblySize = try library.symbol("nvrtcGetPTXSize")
        getAssembly = try library.symbol("nvrtcGetPTX")
        getLogSize = try library.symbol("nvrtcGetProgramLogSize")
        getLog = try library.symbol("nvrtcGetProgramLog")
        let readVersion: nvrtcVersion_t = try library.symbol("nvrtcVersion")
        var (major, minor) = (Int32(0), Int32(0))
        guard readVersion(&major, &minor) == NVRTC_SUCCESS else {
            throw CUDAError(call: "nvrtcVersion", name: "NVRTC_ERROR", text: "no version")
        }
        version = "\(major).\(minor)"
    }

    /// The architectures that it knows, as in 90, in order.
    package func architectures() throws -> [Int] {
        var count: Int32 = 0
        try check(getArchitectureCount(&count), "nvrtcGetNumSupportedArchs")
        var numbers = [Int32](repeating: 0, count: Int(count))
        try check(getArchitectures(&numbers), "nvrtcGetSupportedArchs")
        return numbers.map(Int.init)
    }

    /// The image of a program, and what the compiler said on the way: CUBIN, or where an architecture was named that is not a
    /// card's, PTX. Throws `CompilationError` if the program is wrong.
    package func compile(
        _ source: String, name: String, options: [String]
    ) throws -> (image: [UInt8], log: String) {
        var program: nvrtcProgram?
        try check(createProgram(&program, source, name, 0, nil, nil), "nvrtcCreateProgram")
        guard let handle = program else { preconditionFailure("a program without a handle") }
        defer { _ = destroyProgram(&program) }
        let result = withCStrings(options) { compileProgram(handle, Int32(options.count), $0) }
        let log = try text(of: handle)
        guard result != NVRTC_ERROR_COMPILATION else {
            throw CompilationError(file: name, options: options, log: log)
        }
        try check(result, "nvrtcCompileProgram")
        let image = try bytes(of: handle, getImageSize, getImage, "nvrtcGetCUBIN")
        guard image.isEmpty else { return (image, log) }
        return (try bytes(of: handle, getAssemblySize, getAssembly, "nvrtcGetPTX"), log)
    }

    /// What one of two pairs of functions gives of a program; nothing if that was not made.
    private func bytes(
        of program: nvrtcProgram, _ getSize: nvrtcGetCUBINSize_t, _ get: nvrtcGetCUBIN_t,
        _ call: String
    ) throws -> [UInt8] {
        var size = 0
        try check(getSize(program, &size), "\(call)Size")
        guard size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: size)
        try bytes.withUnsafeMutableBytes {
            try check(get(program, $0.baseAddress!.assumingMemoryBound(to: CChar.self)), call)
        }
        return bytes
    }

    /// The log of the last compilation, without the zero at its end.
    private func text(of program: nvrtcProgram) throws -> String {
        var size = 0
        try check(getLogSize(program, &size), "nvrtcGetProgramLogSize")
        var bytes = [CChar](repeating: 0, count: size + 1)
        try check(getLog(program, &bytes), "nvrtcGetProgramLog")
        return bytes.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    private func check(_ result: nvrtcResult, _ call: String) throws {
        guard result != NVRTC_SUCCESS else { return }
        throw CUDAError(
            call: call, name: "error \(result)", text: String(cString: getErrorString(result)))
    }
}

/// Calls `body` with C strings that live as long as the call.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let copies = strings.map { Array($0.utf8CString) }
    let starts = copies.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    return copies.flatMap(\.self).withUnsafeBufferPointer { characters in
        body(starts.dropLast().map { characters.baseAddress! + $0 } + [nil])
    }
}

/// A kernel that does not compile.
package struct CompilationError: Error, CustomStringConvertible {
    /// The kernel's file.
    package let file: String
    /// What the compiler was told.
    package let options: [String]
    /// What it answered.
    package let log: String

    package var description: String {
        "cannot compile '\(file)' with \(options.joined(separator: " ")): \(log)"
    }
}
