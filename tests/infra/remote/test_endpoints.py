import socket

from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports


def test_the_ports_are_different_and_free():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as taken:
            taken.bind((LOCALHOST, port))


def test_googles_clients_are_told_by_environment_variables():
    assert Endpoints("p", "h:1", "h:2").env == {
        "GOOGLE_CLOUD_PROJECT": "p",
        "PUBSUB_EMULATOR_HOST": "h:1",
        "FIRESTORE_EMULATOR_HOST": "h:2",
    }
