/// Whether values of this header are secrets. `name` is in lower case.
pub(crate) fn is_secret(name: &str) -> bool {
    matches!(
        name,
        "authorization" | "proxy-authorization" | "cookie" | "set-cookie"
    ) || ["token", "key", "secret", "session"]
        .iter()
        .any(|word| name.contains(word))
}

/// Whether this is a well-known WebSocket subprotocol. A page can set no other header of a
/// handshake, so some pages send a token as a subprotocol. Unknown elements are therefore secrets.
pub(crate) fn is_subprotocol(element: &str) -> bool {
    // From the IANA registry, and the names that GraphQL, Rails, Kubernetes and Vite use.
    const NAMES: [&str; 34] = [
        "actioncable-unsupported",
        "actioncable-v1-json",
        "amqp",
        "base64",
        "binary",
        "chat",
        "coap",
        "graphql-transport-ws",
        "graphql-ws",
        "json",
        "mqtt",
        "mqttv3.1",
        "ocpp1.2",
        "ocpp1.5",
        "ocpp1.6",
        "ocpp2.0",
        "ocpp2.0.1",
        "ocpp2.1",
        "opcua+uacp",
        "opcua+uajson",
        "rfb",
        "sip",
        "soap",
        "v10.stomp",
        "v11.stomp",
        "v12.stomp",
        "v4.channel.k8s.io",
        "v5.channel.k8s.io",
        "vite-hmr",
        "vite-ping",
        "wamp",
        "wamp.2.json",
        "wamp.2.msgpack",
        "xmpp",
    ];
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(element))
}
