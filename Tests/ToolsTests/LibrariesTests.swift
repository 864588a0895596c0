import Testing

/// Where the stages compute on a card there may be nothing but its driver and its libraries.
@Suite struct LibrariesTests {
    /// Backends open their libraries when they are first needed, and media are for the ends of a pipeline.
    @Test(arguments: [
        "bench-stages", "check-device", "decode-vae", "denoise-latents", "encode-text",
    ])
    func startsWithoutLibrariesOfBackendsAndMedia(name: String) throws {
        let outcome = try BuiltTool(name: name).shell(#"ldd "$0""#)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("libc.so"))
        for library in ["libdnnl", "libgomp", "libav", "libcu"] {
            #expect(!outcome.output.contains(library), "\(library)")
        }
    }
}
