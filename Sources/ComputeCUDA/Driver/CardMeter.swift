import CNVIDIA
import Glibc

/// What a card's memory is used for, as NVIDIA's management library counts it: it needs no context, so that it can tell
/// what a context takes.
final class CardMeter {
    private let library: ManagementLibrary
    private let device: nvmlDevice_t
    /// Bytes in use on the card when the meter was made, before this process had a context there.
    private let bytesBefore: Int

    /// The meter of the card at a place on the bus; nil where the library is not there, or does not know the card.
    init?(place: String) {
        guard let library = ManagementLibrary.shared else { return nil }
        var device: nvmlDevice_t?
        guard library.deviceAtPlace(place, &device) == NVML_SUCCESS, let device,
            let used = library.usedBytes(device)
        else { return nil }
        self.library = library
        self.device = device
        bytesBefore = used
    }

    /// Bytes that this process holds on the card, context and libraries included; nil if they cannot be told.
    ///
    /// In a container the library may list processes by numbers of the host. Then it is what the card holds more than
    /// before, in which others that began meanwhile count too.
    var processBytes: Int? {
        if let own = library.processBytes(device, UInt32(getpid())) { return own }
        return library.usedBytes(device).map { max(0, $0 - bytesBefore) }
    }
}

/// The functions of libnvidia-ml, found once.
private struct ManagementLibrary: Sendable {
    let deviceAtPlace: nvmlDeviceGetHandleByPciBusId_v2_t
    private let memoryInfo: nvmlDeviceGetMemoryInfo_t
    private let processes: nvmlDeviceGetComputeRunningProcesses_v3_t

    /// The library, initialised; nil where it is not there or too old.
    static let shared = try? ManagementLibrary()

    private init() throws {
        let library = try DynamicLibrary(
            ["libnvidia-ml.so.1"], purpose: "NVIDIA's management library")
        deviceAtPlace = try library.symbol("nvmlDeviceGetHandleByPciBusId_v2")
        memoryInfo = try library.symbol("nvmlDeviceGetMemoryInfo")
        processes = try library.symbol("nvmlDeviceGetComputeRunningProcesses_v3")
        let initialize: nvmlInit_v2_t = try library.symbol("nvmlInit_v2")
        let result = initialize()
        guard result == NVML_SUCCESS else {
            throw CUDAError(call: "nvmlInit", name: "error \(result)", text: "no answer")
        }
    }

    /// Bytes in use on a card, whoever uses them.
    func usedBytes(_ device: nvmlDevice_t) -> Int? {
        var memory = nvmlMemory_t()
        return memoryInfo(device, &memory) == NVML_SUCCESS ? Int(memory.used) : nil
    }

    /// Bytes that a process holds on a card; nil if it is not listed, or listed without bytes.
    func processBytes(_ device: nvmlDevice_t, _ process: UInt32) -> Int? {
        var count: UInt32 = 0
        guard
            [NVML_SUCCESS, NVML_ERROR_INSUFFICIENT_SIZE].contains(
                Int(processes(device, &count, nil)))
        else { return nil }
        // Others may start between the two calls.
        count += 16
        var listed = [nvmlProcessInfo_t](repeating: nvmlProcessInfo_t(), count: Int(count))
        guard processes(device, &count, &listed) == NVML_SUCCESS else { return nil }
        return listed.prefix(Int(count)).first { $0.pid == process }
            .flatMap { Int(exactly: $0.usedGpuMemory) }
    }
}
