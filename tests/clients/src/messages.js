// echo.v1, for the clients that want generated code. Written by hand, since it is one message:
//
//     message Text { string text = 1; }
//     service EchoService {
//         rpc Say(Text) returns (Text);            // the same text
//         rpc Repeat(Text) returns (stream Text);  // three times
//         rpc Fail(Text) returns (Text);           // NOT_FOUND
//     }

export const SERVICE = 'echo.v1.EchoService';

// Texts of up to 127 bytes, whose length is one byte.
export function encode(text) {
    const bytes = new TextEncoder().encode(text);
    return Uint8Array.of(0x0a, bytes.length, ...bytes);
}

export function decode(bytes) {
    return new TextDecoder().decode(bytes.subarray(2, 2 + bytes[1]));
}
