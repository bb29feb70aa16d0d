# SPDX-License-Identifier: MIT
"""Reads the wire form of protocol buffers, and what of a Perfetto trace thrum writes: an independent reader for the test."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at
        assert shift < 70, "a varint longer than ten bytes"


def fields(data):
    """(number, value) of each field; a message inside is bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = int.from_bytes(data[at : at + 8], "little"), at + 8
        elif wire == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "a field beyond the end of its message"
            value, at = data[at : at + size], at + size
        else:
            raise AssertionError(f"wire type {wire}")
        yield number, value


def message(data):
    result = {}
    for number, value in fields(data):
        result.setdefault(number, []).append(value)
    return result


def one(found, number, default=None):
    return found.get(number, [default])[0]


class Perfetto:
    """tracks: uuid -> {name, parent, pid, tid, counter}; events: dicts in order of the file."""

    def __init__(self, data):
        self.tracks, self.events, self.names, self.categories, self.texts = {}, [], {}, {}, {}
        for number, packet in fields(data):
            assert number == 1, f"field {number} of Trace"
            self.packet(message(packet))

    def packet(self, packet):
        assert one(packet, 10) == 1, "every packet is of the one sequence"
        if 12 in packet:
            self.interned(message(one(packet, 12)))
        if 60 in packet:
            self.track(message(one(packet, 60)))
        if 11 in packet:
            self.event(one(packet, 8), message(one(packet, 11)))

    def interned(self, found):
        for number, table in ((1, self.categories), (2, self.names), (29, self.texts)):
            for entry in found.get(number, []):
                entry = message(entry)
                assert one(entry, 1) not in table, "interned twice"
                table[one(entry, 1)] = one(entry, 2).decode()

    def track(self, found):
        uuid = one(found, 1)
        assert uuid not in self.tracks, "a track is described once"
        process, thread = message(one(found, 3, b"")), message(one(found, 4, b""))
        self.tracks[uuid] = {
            "name": (one(found, 2) or one(thread, 5) or one(process, 6)).decode(),
            "parent": one(found, 5),
            "pid": one(process, 1),
            "tid": one(thread, 2),
            "counter": 8 in found,
        }

    def event(self, time, found):
        name = self.names[one(found, 10)] if 10 in found else one(found, 23, b"").decode()
        places = [self.texts[one(message(note), 17)] for note in found.get(4, [])]
        self.events.append({
            "time": time, "type": one(found, 9), "track": self.tracks[one(found, 11)], "name": name,
            "uuid": one(found, 11), "category": [self.categories[i] for i in found.get(3, [])],
            "at": places[0] if places else None, "flows": found.get(47, []), "ends": found.get(48, []),
            "value": one(found, 30),
        })

    def slices(self):
        """(track, name, begin, end): of each track they must nest, in order of time."""
        open_slices, found = {}, []
        for event in sorted(self.events, key=lambda e: e["time"]):  # those of one time stay in order, as Perfetto has it
            stack = open_slices.setdefault(event["uuid"], [])
            if event["type"] == 1:
                stack.append(event)
            elif event["type"] == 2:
                begin = stack.pop()
                found.append((event["track"], begin["name"], begin["time"], event["time"]))
        assert not any(open_slices.values()), "a slice without its end"
        return found
